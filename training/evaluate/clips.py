"""The clips of the evaluation, whose speakers no training may hear."""

from __future__ import annotations

import csv
from pathlib import Path

LIST = Path(__file__).with_name("clips.csv")


def speaker(name: str) -> str:
    """The number of the speaker in ``speaker-chapter-utterance``, as LibriSpeech names files."""
    return name.partition("-")[0]


def evaluated_speakers(path: Path = LIST) -> frozenset[str]:
    """The speakers of the list."""
    with path.open(encoding="utf-8", newline="") as file:
        return frozenset(speaker(row["name"]) for row in csv.DictReader(file))
