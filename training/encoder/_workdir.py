"""The working folder of the encoder: one file for each utterance and step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

COPIES = 1
"""Copies of each utterance in other voices."""


@dataclass(frozen=True, slots=True)
class EncoderWorkdir:
    """Paths of the intermediate files of the encoder.

    Attributes:
        root: the folder.
    """

    root: Path

    def speech(self, name: str) -> Path:
        """An utterance, FLAC, 16 kHz."""
        return self.root / "speech" / f"{name}.flac"

    def augmented_copy(self, name: str, copy: int) -> Path:
        """The same in another voice, FLAC, 16 kHz."""
        return self.root / "copies" / f"{name}-{copy}.flac"

    def phones(self, name: str) -> Path:
        """Phone of each frame, ``.npy``; only for synthetic speech."""
        return self.root / "phones" / f"{name}.npy"

    def targets(self, name: str) -> Path:
        """The teacher's features, ``.npy``."""
        return self.root / "targets" / f"{name}.npy"

    @property
    def checkpoint(self) -> Path:
        """State of the training."""
        return self.root / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """Losses, a JSON line for each validation."""
        return self.root / "losses.jsonl"

    def names(self) -> list[str]:
        """Names of the utterances that exist."""
        return sorted(path.stem for path in (self.root / "speech").glob("[!.]*.flac"))
