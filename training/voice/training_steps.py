"""The steps from speech to a trained voice, each going on where it was."""

from __future__ import annotations

from ..common.jobs import run
from . import _features as features
from . import _prosody as prosody
from . import augmentation, contours, export
from ._dataset import Material, Utterance, read
from .train import Budget, Training
from .workdir import Workplace

HELD_OUT = 30
"""Utterances that are held out at most: 30 of 620."""
_SHARE = 10
"""Of fewer utterances, every tenth is held out."""


def prepare(place: Workplace, seed: int, processes: int) -> None:
    """Everything between speech and training."""
    run("contours", contours.measure, contours.jobs(place), processes)
    run("copies", augmentation.perturb, augmentation.jobs(place, seed), processes)
    run("features", features.listen, features.jobs(place), processes)


def begun(place: Workplace, budget: Budget, seed: int) -> Training:
    """The training of a prepared voice, as far as it is."""
    learned, held_out = divided(place.spoken())
    lies = prosody.measured(place, learned)
    return Training(
        place,
        Material(_read(place, learned), seed),
        _read(place, held_out),
        budget,
        export.sizes(lies),
    )


def divided(numbers: list[int]) -> tuple[list[int], list[int]]:
    """Utterances to learn from, and those held out: evenly spread."""
    count = min(HELD_OUT, max(len(numbers) // _SHARE, 1))
    every = len(numbers) // count
    held_out = numbers[every // 2 :: every][:count]
    return [number for number in numbers if number not in set(held_out)], held_out


def _read(place: Workplace, numbers: list[int]) -> list[Utterance]:
    return [read(place, number) for number in numbers]
