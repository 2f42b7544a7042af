"""The working folder of the encoders: one file for each utterance and step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

COPIES = 1
"""Copies of each utterance in other voices."""


@dataclass(frozen=True, slots=True)
class EncoderWorkdir:
    """Paths of the intermediate files of the encoders; all recipes share the speech.

    Attributes:
        root: the folder.
        recipe: name of the encoder's recipe, and of the folder of what belongs to it alone.
    """

    root: Path
    recipe: str

    def speech(self, name: str) -> Path:
        """An utterance, FLAC, 16 kHz."""
        return self.root / "speech" / f"{name}.flac"

    def augmented_copy(self, name: str, copy: int) -> Path:
        """The same in another voice, FLAC, 16 kHz."""
        return self.root / "copies" / f"{name}-{copy}.flac"

    def phones(self, name: str) -> Path:
        """Phone of each frame of synthetic speech, ``.npy``."""
        return self.root / "phones" / f"{name}.npy"

    def alignment(self, name: str) -> Path:
        """Phone of each frame of recorded speech, ``.npy``, as the recipe's teacher hears it."""
        return self.own / "alignment" / f"{name}.npy"

    def transcript(self, name: str) -> Path:
        """Phones of what a recognizer wrote, ``.npy``; only for recorded speech."""
        return self.root / "transcripts" / f"{name}.npy"

    def targets(self, name: str) -> Path:
        """The teacher's features, ``.npy``."""
        return self.own / "targets" / f"{name}.npy"

    @property
    def own(self) -> Path:
        """Folder of the recipe."""
        return self.root / self.recipe

    @property
    def basis(self) -> Path:
        """Directions of the teacher's features that are learned, ``.npz``."""
        return self.own / "basis.npz"

    @property
    def classifier(self) -> Path:
        """Phones by the teacher's features, ``.npz``."""
        return self.own / "classifier.npz"

    @property
    def checkpoint(self) -> Path:
        """State of the training."""
        return self.own / "checkpoint.pt"

    @property
    def log(self) -> Path:
        """Losses, a JSON line for each validation."""
        return self.own / "losses.jsonl"

    @property
    def curves(self) -> Path:
        """Picture of the log."""
        return self.own / "losses.png"

    def names(self) -> list[str]:
        """Names of the utterances that exist."""
        return sorted(path.stem for path in (self.root / "speech").glob("[!.]*.flac"))

    def complete(self) -> list[str]:
        """Names of the utterances from which the recipe can learn: those with all their files."""
        return [
            name
            for name in self.names()
            if self.targets(name).exists()
            and all(self.augmented_copy(name, copy).exists() for copy in range(COPIES))
        ]
