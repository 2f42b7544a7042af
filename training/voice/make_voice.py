"""Makes a voice from recordings: runs all steps; each resumes where it was interrupted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.experiments.engines.execute import failure_of
from voicegraph.experiments.engines.run_folder import locked
from voicegraph.experiments.task import Failure, Task
from voicegraph.graph.errors import InputError
from voicegraph.schemas.source_filter_card import Consent
from voicegraph.schemas.voice_report import Losses, MaterialReport, Preview, VoiceReport

from ..common.progress import progress_bar
from ..common.task_pool import compute
from ..common.training_loop import Budget
from . import _preview as preview
from . import _report as report_page
from . import _report_figure as report_figure
from . import _selection as selection
from . import export, training_steps
from ._ingest import IngestedRecording
from ._selection import UNPROCESSED, Selection
from ._speaker_selection import Speaker
from ._tasks import ingest_task
from .export import About
from .preflight import OTHER_FOLDER
from .prepared_speech import PreparedSpeech
from .train import VoiceTraining
from .workdir import Workdir

_PREPARING = 0.35
"""Minutes of one core for each minute of speech, for contours, copies and features."""
Notify = Callable[[str], None]
"""Takes a message for people."""


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """What to make, and how.

    Attributes:
        recordings: files with speech.
        target: the voice's file.
        work: the working folder.
        consent: of the owner.
        title: of the voice.
        budget: of the training.
        seed: decides copies, batches and the index.
        processes: of one thread each, for everything but training.
        threads: for training.
        anyway: accept less than five minutes of speech.
        picture: whether to draw a figure.
    """

    recordings: tuple[Path, ...]
    target: Path
    work: Path
    consent: Consent
    title: str
    budget: Budget
    seed: int = 1
    processes: int = 2
    threads: int = 1
    anyway: bool = False
    picture: bool = True


def make(request: VoiceRequest, notify: Notify) -> VoiceReport:
    """Makes a voice, its report and its figure.

    After Ctrl-C (``KeyboardInterrupt``) the same request resumes where it was interrupted.

    Raises:
        InputError: if the recordings do not have enough good speech.
        OutputError: if a file cannot be written, or another process makes a voice in this folder.
    """
    with locked(request.work, OTHER_FOLDER):
        return _make(request, notify)


def _make(request: VoiceRequest, notify: Notify) -> VoiceReport:
    start = time.monotonic()
    workdir = Workdir(request.work)
    workdir.store.remove_unfinished(0.0)  # with the lock, nobody else writes to it
    ingested = _ingested(workdir, request)
    selected = selection.select(workdir, ingested)
    selection.check_enough(selected.report, request.anyway)
    notify(summary(selected.report))
    notify(_estimate(selected.report, request))
    heard = [found.key for found in ingested]
    speech = training_steps.prepare(workdir, request.seed, request.processes, heard)
    selected = _processed(selected, speech, request, notify)
    assert selected.speaker is not None  # there is speech
    training = _trained(speech, request)
    notify("writing the voice")
    about = _about(request, selected.report)
    card = export.export(training, about, speech, request.target, request.seed)
    sounds, previews = _previews(request, speech, selected.speaker)
    losses = load_losses(workdir)
    drawing = request.target.with_suffix(".png") if request.picture else None
    if drawing is not None:
        report_figure.draw(sounds, losses, drawing)
    report = VoiceReport(
        voice=str(request.target),
        page=str(request.target.with_suffix(".md")),
        picture=str(drawing) if drawing else None,
        seconds=round(time.monotonic() - start, 1),
        card=card,
        material=selected.report,
        losses=losses,
        trials=tuple(previews),
    )
    report_page.write(report)
    return report


def _ingested(workdir: Workdir, request: VoiceRequest) -> list[IngestedRecording]:
    """All recordings as far as they can be read; one that kills its process cannot."""
    store = workdir.store
    tasks: list[Task | Failure] = [_ingest_task(path) for path in request.recordings]
    every = list({task.key: task for task in tasks if isinstance(task, Task)}.values())
    failed = compute(
        "hear", every, store, request.processes, journal=workdir.journal, keep_going=True
    )
    found: list[IngestedRecording] = []
    for path, task in zip(request.recordings, tasks, strict=True):
        why = task if isinstance(task, Failure) else failed.get(task.key)
        if why is not None:
            found.append(IngestedRecording.unread(path, why, store))
        elif isinstance(task, Task):
            found.append(IngestedRecording.load(path, store, task.key))
    return found


def _ingest_task(path: Path) -> Task | Failure:
    try:
        return ingest_task(path)
    except InputError as error:
        return failure_of(error)


def _processed(
    selected: Selection, speech: PreparedSpeech, request: VoiceRequest, notify: Notify
) -> Selection:
    """The selection without what could not be processed.

    Raises:
        InputError: if too little is left.
    """
    if not speech.failed:
        return selected
    left = selected.without(speech.failed)
    for one in left.report.rejected:
        if one.reason == UNPROCESSED:
            notify(f"left out: {one.path}, second {one.start_s:.1f}: {one.detail}")
    selection.check_enough(left.report, request.anyway)
    return left


def _estimate(material: MaterialReport, request: VoiceRequest) -> str:
    """How long preparation and training will take, for people."""
    prepare = material.used_s / 60 * _PREPARING / request.processes
    budget = request.budget
    training = f"{budget.steps} steps" if budget.steps else f"{budget.minutes:g} min"
    return f"about {max(prepare, 1):.0f} min of preparation, then {training} of training"


def summary(material: MaterialReport) -> str:
    """How much speech is used and why the rest is left out, in a few lines."""
    used, count = material.used_s / 60, material.utterances
    lines = [f"{used:.1f} min of speech in {count} utterances are used"]
    lines += [f"  left out: {s / 60:.1f} min {reason}" for reason, s in material.reasons().items()]
    unread = [found for found in material.recordings if found.error]
    lines += [f"  cannot be read: {found.path}: {found.error}" for found in unread]
    return "\n".join(lines)


def _trained(speech: PreparedSpeech, request: VoiceRequest) -> VoiceTraining:
    torch.set_num_threads(request.threads)
    training = training_steps.open_training(speech, request.budget, request.seed)
    training.run()
    return training


def _about(request: VoiceRequest, material: MaterialReport) -> About:
    owner = request.consent.owner
    more = {"recordings": f"{len(material.recordings)} files"}
    if material.used_s < selection.LEAST_S:
        more["less than is needed"] = (
            f"{material.used_s / 60:.1f} min of speech; {selection.LEAST_S / 60:.0f} are advised"
        )
    return About(
        title=request.title,
        description=f"The voice of {owner}, made of recordings by voicegraph voice make.",
        licence="Whatever its owner allows.",
        source=f"recordings of {owner}",
        consent=request.consent,
        more=more,
    )


def _previews(
    request: VoiceRequest, speech: PreparedSpeech, speaker: Speaker
) -> tuple[list[preview.PreviewFiles], list[Preview]]:
    sounds = preview.prepare_sources(speech)
    with progress_bar("try", len(sounds)) as tell:
        measured: list[Preview] = []
        for number, one in enumerate(sounds):
            tell(one.name.partition(":")[0], number)
            preview.convert(request.target, one)
            measured.append(preview.measure(one, speaker))
        tell("", len(sounds))
    return sounds, measured


def load_losses(workdir: Workdir) -> tuple[Losses, ...]:
    """The losses on held-out speech, from the log of the training."""
    lines = workdir.log.read_text(encoding="utf-8").splitlines() if workdir.log.exists() else []
    found: dict[int, Losses] = {}
    for line in lines:
        one = Losses.model_validate(json.loads(line))
        # The last step may have been validated twice; the line with the batch's loss is kept.
        if one.training is not None or one.step not in found:
            found[one.step] = one
    return tuple(found[step] for step in sorted(found))
