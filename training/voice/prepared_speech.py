"""The speech of a voice with all that training needs of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import soundfile

from .workdir import Workdir


@dataclass(frozen=True, slots=True)
class PreparedSpeech:
    """Utterances, and what was computed of them, in the store of the working folder.

    Attributes:
        workdir: of the voice.
        contours: keys of F0 and level, by the number of the utterance.
        features: keys of the content features, by the number of the utterance.
        failed: utterances that have none, and why.
    """

    workdir: Workdir
    contours: Mapping[int, str]
    features: Mapping[int, str]
    failed: Mapping[int, str]

    @property
    def numbers(self) -> Sequence[int]:
        """The utterances that can be used, in order."""
        return sorted(self.features.keys() - self.failed.keys())

    def audio(self, number: int) -> np.ndarray:
        """The sound of an utterance, int16 ``[samples]`` at 24 kHz."""
        audio, _ = soundfile.read(self.workdir.speech(number), dtype="int16")
        return audio

    def read_contours(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """F0 in Hz, 0 where unvoiced, and level in dB, float32 ``[frames at 100 Hz]``.

        Raises:
            DamagedResultError: if the result is damaged.
        """
        found = self.workdir.store.read(self.contours[number]).arrays
        return found["f0"].astype(np.float32), found["level"].astype(np.float32)

    def read_features(self, number: int) -> np.ndarray:
        """Content features, float16 ``[versions, frames at 50 Hz, dim]``.

        Raises:
            DamagedResultError: if the result is damaged.
        """
        return self.workdir.store.read(self.features[number]).arrays["content"]
