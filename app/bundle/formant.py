"""Formant shift: more or fewer frames are decoded, and resampled to the original length."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

_CROSSINGS = 6
"""Zero crossings of the sinc to either side."""
_ROLLOFF = 0.99
_STEPS_PER_SECOND = 100


@dataclass(frozen=True, slots=True)
class FormantShift:
    """The sizes of a window under a shift.

    Attributes:
        frames: frames of 10 ms that are decoded instead of ``count``.
        count: frames of the output.
        step: decoded samples for each of them.
        frame: samples of a frame at the voice's rate.
    """

    frames: int
    count: int
    step: int
    frame: int

    @classmethod
    def of(cls, semitones: float, count: int, rate: int) -> FormantShift:
        """For a window of ``count`` frames at ``rate`` Hz."""
        factor = 2.0 ** (semitones / 12.0)
        step = int(factor * rate // _STEPS_PER_SECOND)
        return cls(math.ceil(count * factor), count, step, rate // _STEPS_PER_SECOND)

    def restored(self, audio: np.ndarray) -> np.ndarray:
        """Decoded audio ``[samples]`` in the length of the output, ``[count * frame]``."""
        if self.step == self.frame:
            return audio[: self.count * self.frame]
        return resampled(audio[: self.count * self.step], self.step, self.frame)


def resampled(audio: np.ndarray, old: int, new: int) -> np.ndarray:
    """Float32 ``[samples]`` from rate ``old`` to ``new`` by a windowed sinc, with zero padding."""
    common = math.gcd(old, new)
    old, new = old // common, new // common
    kernel, width = _kernel(old, new)
    padded = np.pad(audio, (width, width + old))
    spans = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[1])[::old]
    return (spans @ kernel.T).reshape(-1)[: -(-len(audio) * new // old)]


@functools.lru_cache(maxsize=8)
def _kernel(old: int, new: int) -> tuple[np.ndarray, int]:
    """One filter for each of ``new`` phases, ``[new, 2 width + old]``, and the width."""
    cutoff = min(old, new) * _ROLLOFF
    width = math.ceil(_CROSSINGS * old / cutoff)
    times = np.arange(-width, width + old, dtype=np.float32) / np.float32(old)
    phases = np.arange(0, -new, -1, dtype=np.float32)[:, None] / np.float32(new)
    t = np.clip((phases + times) * np.float32(cutoff), -_CROSSINGS, _CROSSINGS)
    window = np.cos(t * np.float32(math.pi) / _CROSSINGS / 2) ** 2
    return (np.sinc(t) * window * (cutoff / old)).astype(np.float32), width
