"""The working folder of a voice: one file for each utterance and step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RATE = 24000
"""Sample rate of the speech and of the voice, in Hz."""
COPIES = 3
"""Augmented copies of each utterance."""


@dataclass(frozen=True, slots=True)
class Workdir:
    """Paths of the intermediate files of one voice.

    Attributes:
        root: the folder.
    """

    root: Path

    @property
    def manifest(self) -> Path:
        """The recordings and the seed that the voice was begun with, JSON."""
        return self.root / "recordings.json"

    @property
    def consent(self) -> Path:
        """The owner's consent, JSON."""
        return self.root / "consent.json"

    def recording_info(self, number: int) -> Path:
        """Metadata of a recording and of its utterances, JSON."""
        return self.root / "heard" / f"{number:04d}.json"

    def recording_audio(self, number: int) -> Path:
        """That recording, FLAC, 24 kHz, one channel, at a common level."""
        return self.root / "heard" / f"{number:04d}.flac"

    def speaker_vectors(self, number: int) -> Path:
        """Speaker embeddings of its utterances, ``.npz``."""
        return self.root / "heard" / f"{number:04d}.npz"

    def speech(self, number: int) -> Path:
        """An utterance to train on, FLAC, 24 kHz."""
        return self.root / "speech" / f"{number:04d}.flac"

    def augmented_copy(self, number: int, copy: int) -> Path:
        """The same words with other pitch, formants and channel, FLAC, 16 kHz."""
        return self.root / "copies" / f"{number:04d}-{copy}.flac"

    def contours(self, number: int) -> Path:
        """F0 and level, ``.npz``."""
        return self.root / "contours" / f"{number:04d}.npz"

    def features(self, number: int) -> Path:
        """Content features of the utterance and of its copies, ``.npz``."""
        return self.root / "features" / f"{number:04d}.npz"

    @property
    def checkpoint(self) -> Path:
        """State of the training."""
        return self.root / "checkpoint.pt"

    @property
    def finetuning_checkpoint(self) -> Path:
        """State of the adversarial fine-tuning."""
        return self.root / "polish.pt"

    @property
    def log(self) -> Path:
        """Losses, a JSON line for each validation."""
        return self.root / "losses.jsonl"

    def utterances(self) -> list[int]:
        """Numbers of the utterances that exist."""
        return sorted(int(path.stem) for path in (self.root / "speech").glob("[!.]*.flac"))
