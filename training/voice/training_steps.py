"""The steps from speech to a trained voice; each resumes where it was interrupted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from voicegraph.experiments.task import Failure, Task
from voicegraph.graph.errors import Problem, VoicegraphError

from ..common.task_pool import compute
from ..common.training_loop import Budget
from . import _prosody as prosody
from . import export
from ._dataset import VoiceTrainingSet, VoiceUtterance, load_utterance
from ._tasks import UtteranceTasks, utterance_tasks
from .prepared_speech import PreparedSpeech
from .train import VoiceTraining
from .workdir import Workdir

HELD_OUT = 30
"""Utterances that are held out for validation, at most."""
_HELD_OUT_EVERY = 10
"""Of fewer than 300 utterances, one in ten is held out."""
_FAILING_SHARE = 0.05
"""If more of the utterances cannot be processed, something else is wrong than they are."""


def prepare(
    workdir: Workdir, seed: int, processes: int, kept: Collection[str] = ()
) -> PreparedSpeech:
    """Runs everything between speech and training.

    Args:
        workdir: of the voice.
        seed: of the copies.
        processes: of one thread each; 1 computes in this process.
        kept: keys of other results that are used; what neither they nor the speech need is
            removed.

    Raises:
        VoicegraphError: if more than one in twenty utterances cannot be processed.
        DiskFullError: if there is no room for results.
        KeyboardInterrupt: after Ctrl-C, when what ran is finished.
    """
    tasks = {number: utterance_tasks(workdir, number, seed) for number in workdir.utterances()}
    every = list({task.key: task for one in tasks.values() for task in one.all()}.values())
    why = compute("prepare", every, workdir.store, processes, journal=workdir.journal)
    for key in {*workdir.store.keys()} - {task.key for task in every} - {*kept}:
        workdir.store.remove(key)
    failed = _failed_utterances(tasks, why)
    if len(failed) > max(1, _FAILING_SHARE * len(tasks)):
        raise _all_wrong(every, why, len(failed), len(tasks))
    return PreparedSpeech(
        workdir,
        {number: one.contours.key for number, one in tasks.items()},
        {number: one.features.key for number, one in tasks.items()},
        failed,
    )


def _failed_utterances(
    tasks: Mapping[int, UtteranceTasks], why: Mapping[str, Failure]
) -> dict[int, str]:
    """Utterances that lack a result, and why."""
    found = {n: [why[t.key] for t in one.all() if t.key in why] for n, one in tasks.items()}
    return {number: failures[0].message for number, failures in found.items() if failures}


def _all_wrong(
    tasks: Sequence[Task], why: Mapping[str, Failure], failed: int, total: int
) -> VoicegraphError:
    first, failure = next((task, why[task.key]) for task in tasks if task.key in why)
    text = f"{failed} of {total} utterances cannot be processed; {first.label}: {failure.message}"
    return VoicegraphError(Problem(failure.code, text, fix=failure.fix or "--again tries again"))


def open_training(speech: PreparedSpeech, budget: Budget, seed: int) -> VoiceTraining:
    """The training of a prepared voice: a new one, or resumed from its checkpoint."""
    learned, held_out = split_held_out(speech.numbers)
    found = prosody.measure(speech, learned)
    return VoiceTraining(
        speech.workdir,
        VoiceTrainingSet(_load(speech, learned), seed),
        _load(speech, held_out),
        budget,
        export.network_sizes(found),
    )


def split_held_out(numbers: Sequence[int]) -> tuple[list[int], list[int]]:
    """Utterances to learn from, and held-out ones, which are evenly spread."""
    count = min(HELD_OUT, max(len(numbers) // _HELD_OUT_EVERY, 1))
    every = len(numbers) // count
    held_out = [*numbers[every // 2 :: every][:count]]
    return [number for number in numbers if number not in set(held_out)], held_out


def _load(speech: PreparedSpeech, numbers: Sequence[int]) -> list[VoiceUtterance]:
    return [load_utterance(speech, number) for number in numbers]
