"""The clips of the evaluation, whose speakers no training may hear."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

LISTS = {
    "development": Path(__file__).with_name("clips.csv"),
    "final": Path(__file__).with_name("final.csv"),
}
"""``development``: measured again and again while a voice is made, so that choices lean on it.
``final``: for the figures that are told at the end."""


def speaker(name: str) -> str:
    """The number of the speaker in ``speaker-chapter-utterance``, as LibriSpeech names files."""
    return name.partition("-")[0]


def evaluated_speakers(lists: Iterable[Path] = tuple(LISTS.values())) -> frozenset[str]:
    """The speakers of the lists; by default of all."""
    return frozenset(speaker(name) for path in lists for name in names(path))


def names(path: Path) -> list[str]:
    """The names of the clips of a list, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row["name"] for row in csv.DictReader(file)]
