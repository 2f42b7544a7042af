"""Where a voice is made: one folder a voice, one file for each utterance and step.

A file that is there is whole: it is written under another name and renamed. So a step that was
interrupted goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from voicegraph.graph.files.atomic_write import atomic_write

RATE = 24000
"""Samples a second of the speech, and of the voice that is made of it."""
COPIES = 3
"""Perturbed copies of each utterance."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """The files of one voice in the making.

    Attributes:
        root: the folder.
    """

    root: Path

    @property
    def begun(self) -> Path:
        """What recordings a voice was begun with, JSON."""
        return self.root / "recordings.json"

    @property
    def consent(self) -> Path:
        """The owner's, JSON."""
        return self.root / "consent.json"

    def heard(self, number: int) -> Path:
        """What is known of a recording that the voice is made of, JSON."""
        return self.root / "heard" / f"{number:04d}.json"

    def sound(self, number: int) -> Path:
        """That recording, FLAC, 24 kHz, one channel, at a common level."""
        return self.root / "heard" / f"{number:04d}.flac"

    def vectors(self, number: int) -> Path:
        """Who speaks in it, ``.npz``."""
        return self.root / "heard" / f"{number:04d}.npz"

    def speech(self, number: int) -> Path:
        """What the voice says, FLAC, 24 kHz."""
        return self.root / "speech" / f"{number:04d}.flac"

    def copy(self, number: int, copy: int) -> Path:
        """The same without the voice's own pitch, formants and sound, FLAC, 16 kHz."""
        return self.root / "copies" / f"{number:04d}-{copy}.flac"

    def contours(self, number: int) -> Path:
        """Pitch and level, ``.npz``."""
        return self.root / "contours" / f"{number:04d}.npz"

    def features(self, number: int) -> Path:
        """Content features of the clean speech and of the copies, ``.npz``."""
        return self.root / "features" / f"{number:04d}.npz"

    @property
    def checkpoint(self) -> Path:
        """The training so far."""
        return self.root / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """Losses, a JSON line each."""
        return self.root / "losses.jsonl"

    def spoken(self) -> list[int]:
        """Numbers of the utterances that there are."""
        return sorted(int(path.stem) for path in (self.root / "speech").glob("*.flac"))


def write_whole(target: Path, write: Callable[[Path], None]) -> None:
    """Lets ``write`` make a file beside ``target``, and gives it that name when it is complete.

    Raises:
        OutputError: if it cannot be written.
    """
    with atomic_write(target, force=True, make_folder=True) as temporary:
        write(temporary)


def write_speech(target: Path, audio: np.ndarray, rate: int) -> None:
    """Writes ``[samples]`` as 16-bit FLAC, whole.

    Raises:
        OutputError: if it cannot be written.
    """

    def write(path: Path) -> None:
        soundfile.write(path, audio, rate, "PCM_16", format="FLAC")

    write_whole(target, write)
