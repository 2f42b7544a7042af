"""Clips: the recordings that an experiment converts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of a sound file, by one speaker.

    Attributes:
        name: unique in the experiment; by default the file's name without its ending.
        path: the file.
        sha256: of the file's contents, hexadecimal.
        speaker: who speaks; the unit of all statistics.
        start_s: first second of the part.
        seconds: length of the part; None up to the file's end.
        columns: what a CSV file says about it besides, such as ``sex`` or ``transcript``.
    """

    name: str
    path: Path
    sha256: str
    speaker: str
    start_s: float = 0.0
    seconds: float | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
