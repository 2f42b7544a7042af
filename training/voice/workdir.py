"""The working folder of a voice: its speech, a store of what was computed of it, the training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voicegraph.experiments.store import Store

RATE = 24000
"""Sample rate of the speech and of the voice, in Hz."""
STORE = "store"
JOURNAL = "journal.jsonl"
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

    @property
    def store(self) -> Store:
        """What was computed of recordings and utterances.

        It lies here, not in the user's cache, since it holds copies of the recordings.
        """
        return Store(self.root / STORE)

    @property
    def journal(self) -> Path:
        """What happened, and what failed, JSON lines."""
        return self.root / JOURNAL

    @property
    def selection(self) -> Path:
        """The utterances that were chosen, by recording and time, JSON."""
        return self.root / "selection.json"

    def speech(self, number: int) -> Path:
        """An utterance to train on, FLAC, 24 kHz."""
        return self.root / "speech" / f"{number:04d}.flac"

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
