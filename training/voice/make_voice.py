"""From recordings to a voice: all steps, each going on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.schemas.source_filter_card import Consent
from voicegraph.schemas.voice_report import Losses, MaterialReport, VoiceReport

from ..common.jobs import bar, run
from . import _ingest as ingest
from . import _preview as preview
from . import _report as page
from . import _report_figure as report_figure
from . import _selection as selection
from . import export, training_steps
from ._speaker_selection import Speaker
from .export import About
from .train import Budget, Training
from .workdir import Workplace

_PREPARING = 0.35
"""Minutes of one core for each minute of speech: contours, copies, features."""
Say = Callable[[str], None]
"""Takes a line for a person."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be made.

    Attributes:
        recordings: files with speech.
        target: the voice's file.
        work: the folder for all that is made on the way.
        consent: the owner's.
        title: of the voice.
        budget: how long it is trained.
        seed: decides copies, batches and the index.
        processes: for all but training, of one thread each.
        threads: for training.
        anyway: take less than five minutes of speech.
        drawn: whether a picture is drawn.
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
    drawn: bool = True


def make(wish: Wish, say: Say) -> VoiceReport:
    """Makes a voice, its page and its picture.

    Ctrl-C (``KeyboardInterrupt``) loses nothing: the same wish goes on where it was.

    Raises:
        InputError: if no voice can be made of the recordings.
        OutputError: if something cannot be written.
    """
    begun = time.monotonic()
    place = Workplace(wish.work)
    run("hear", ingest.hear, ingest.jobs(place, list(wish.recordings)), wish.processes)
    chosen = selection.choose(place, len(wish.recordings))
    selection.check_enough(chosen.report, wish.anyway)
    assert chosen.speaker is not None  # there is speech
    say(summary(chosen.report))
    say(_plan(chosen.report, wish))
    training_steps.prepare(place, wish.seed, wish.processes)
    training = _trained(place, wish)
    say("writing the voice")
    about = _about(wish, chosen.report)
    card = export.export(training, about, place, wish.target, wish.seed)
    sounds, trials = _tried(wish, place, chosen.speaker)
    losses = curve(place)
    drawing = wish.target.with_suffix(".png") if wish.drawn else None
    if drawing is not None:
        report_figure.draw(sounds, losses, drawing)
    report = VoiceReport(
        voice=str(wish.target),
        page=str(wish.target.with_suffix(".md")),
        picture=str(drawing) if drawing else None,
        seconds=round(time.monotonic() - begun, 1),
        card=card,
        material=chosen.report,
        losses=losses,
        trials=tuple(trials),
    )
    page.write(report)
    return report


def _plan(material: MaterialReport, wish: Wish) -> str:
    """What is to come, and how long it may take."""
    prepare = material.used_s / 60 * _PREPARING / wish.processes
    budget = wish.budget
    training = f"{budget.steps} steps" if budget.steps else f"{budget.minutes:g} min"
    return f"about {max(prepare, 1):.0f} min of preparation, then {training} of training"


def summary(material: MaterialReport) -> str:
    """What was found, on a line or a few."""
    used, count = material.used_s / 60, material.utterances
    lines = [f"{used:.1f} min of speech in {count} utterances are used"]
    lines += [f"  left out: {s / 60:.1f} min {reason}" for reason, s in material.reasons().items()]
    unread = [found for found in material.recordings if found.error]
    lines += [f"  cannot be read: {found.path}: {found.error}" for found in unread]
    return "\n".join(lines)


def _trained(place: Workplace, wish: Wish) -> Training:
    torch.set_num_threads(wish.threads)
    training = training_steps.begun(place, wish.budget, wish.seed)
    training.run()
    return training


def _about(wish: Wish, material: MaterialReport) -> About:
    owner = wish.consent.owner
    more = {"recordings": f"{len(material.recordings)} files"}
    if material.used_s < selection.LEAST_S:
        more["less than is needed"] = (
            f"{material.used_s / 60:.1f} min of speech; {selection.LEAST_S / 60:.0f} are advised"
        )
    return About(
        title=wish.title,
        description=f"The voice of {owner}, made of recordings by voicegraph voice make.",
        licence="Whatever its owner allows.",
        source=f"recordings of {owner}",
        consent=wish.consent,
        more=more,
    )


def _tried(
    wish: Wish, place: Workplace, speaker: Speaker
) -> tuple[list[preview.Sounds], list[preview.Trial]]:
    sounds = preview.sources(place)
    with bar("try", len(sounds)) as tell:
        trials: list[preview.Trial] = []
        for number, one in enumerate(sounds):
            tell(one.name.partition(":")[0], number)
            preview.convert(wish.target, one)
            trials.append(preview.compared(one, speaker))
        tell("", len(sounds))
    return sounds, trials


def curve(place: Workplace) -> tuple[Losses, ...]:
    """The losses on held-out speech, as training noted them."""
    lines = place.log.read_text(encoding="utf-8").splitlines() if place.log.exists() else []
    found: dict[int, Losses] = {}
    for line in lines:
        one = Losses.model_validate(json.loads(line))
        # The end may fall on a step that was noted anyway, with the loss of its batch.
        if one.training is not None or one.step not in found:
            found[one.step] = one
    return tuple(found[step] for step in sorted(found))
