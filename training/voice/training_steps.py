"""The steps from speech to a trained voice; each resumes where it was interrupted."""

from __future__ import annotations

from ..common.jobs import run_jobs
from ..common.training_loop import Budget
from . import _features as features
from . import _prosody as prosody
from . import augmentation, contours, export
from ._dataset import VoiceTrainingSet, VoiceUtterance, load_utterance
from .train import VoiceTraining
from .workdir import Workdir

HELD_OUT = 30
"""Utterances that are held out for validation, at most."""
_HELD_OUT_EVERY = 10
"""Of fewer than 300 utterances, one in ten is held out."""


def prepare(workdir: Workdir, seed: int, processes: int) -> None:
    """Runs everything between speech and training."""
    run_jobs("contours", contours.measure, contours.jobs(workdir), processes)
    run_jobs("copies", augmentation.augment, augmentation.jobs(workdir, seed), processes)
    run_jobs("features", features.extract, features.jobs(workdir), processes)


def open_training(workdir: Workdir, budget: Budget, seed: int) -> VoiceTraining:
    """The training of a prepared voice: a new one, or resumed from its checkpoint."""
    learned, held_out = split_held_out(workdir.utterances())
    found = prosody.measure(workdir, learned)
    return VoiceTraining(
        workdir,
        VoiceTrainingSet(_load(workdir, learned), seed),
        _load(workdir, held_out),
        budget,
        export.network_sizes(found),
    )


def split_held_out(numbers: list[int]) -> tuple[list[int], list[int]]:
    """Utterances to learn from, and held-out ones, which are evenly spread."""
    count = min(HELD_OUT, max(len(numbers) // _HELD_OUT_EVERY, 1))
    every = len(numbers) // count
    held_out = numbers[every // 2 :: every][:count]
    return [number for number in numbers if number not in set(held_out)], held_out


def _load(workdir: Workdir, numbers: list[int]) -> list[VoiceUtterance]:
    return [load_utterance(workdir, number) for number in numbers]
