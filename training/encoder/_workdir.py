"""Where the encoder is made: one folder, one file for each utterance and step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

COPIES = 1
"""Of each utterance, in other voices."""


@dataclass(frozen=True, slots=True)
class Place:
    """The files of an encoder in the making.

    Attributes:
        root: the folder.
    """

    root: Path

    def speech(self, name: str) -> Path:
        """An utterance, FLAC, 16 kHz."""
        return self.root / "speech" / f"{name}.flac"

    def copy(self, name: str, copy: int) -> Path:
        """The same in another voice, FLAC, 16 kHz."""
        return self.root / "copies" / f"{name}-{copy}.flac"

    def phones(self, name: str) -> Path:
        """Which phone each of its frames belongs to, ``.npy``; only of what a program said."""
        return self.root / "phones" / f"{name}.npy"

    def targets(self, name: str) -> Path:
        """What the teacher makes of it, ``.npy``."""
        return self.root / "targets" / f"{name}.npy"

    @property
    def checkpoint(self) -> Path:
        """The training so far."""
        return self.root / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """Losses, a JSON line each."""
        return self.root / "losses.jsonl"

    def names(self) -> list[str]:
        """Of the utterances that there are."""
        return sorted(path.stem for path in (self.root / "speech").glob("[!.]*.flac"))
