"""Drift resampler: changes the rate by a few parts per million, to follow another clock.

Windowed-sinc interpolation at times that move slowly relative to the samples: J. O. Smith, "Digital
Audio Resampling" (the bandlimited interpolation of Smith and Gossett 1984), with a Kaiser window
and a finely sampled kernel, linearly interpolated. Without a stretch, the kernel is 1 at one sample
and 0 at the others, so the output equals the input bit for bit.
"""

from __future__ import annotations

import numpy as np

TAPS = 32
"""Input samples for each output sample. Half of them are look-ahead, which is the delay."""
_PHASES = 512
_BETA = 9.0
"""Of the Kaiser window: side lobes at about -90 dB."""


def _kernel() -> np.ndarray:
    """Weights ``[phases + 1, TAPS]`` for times between one sample and the next."""
    offsets = np.arange(TAPS) - (TAPS // 2 - 1)
    phase = np.arange(_PHASES + 1)[:, None] / _PHASES
    at = offsets - phase
    shape = np.i0(_BETA * np.sqrt(np.maximum(0, 1 - (at / (TAPS / 2)) ** 2))) / np.i0(_BETA)
    weights = np.sinc(at) * shape
    weights /= weights.sum(1, keepdims=True)  # unity gain at 0 Hz
    weights[0] = offsets == 0
    weights[-1] = offsets == 1
    return weights.astype(np.float32)


class DriftResampler:
    """Stretches blocks slightly; continuous from block to block.

    Args:
        channels: of the blocks.

    Attributes:
        delay: samples from input to output.
    """

    delay = TAPS // 2

    def __init__(self, channels: int) -> None:
        self._kernel = _kernel()
        self._past = np.zeros((channels, TAPS), np.float32)
        self._at = 0.0  # time of the next output sample, in samples after the oldest that it needs

    def __call__(self, block: np.ndarray, stretch: float) -> np.ndarray:
        """Stretches ``[C, N]`` to about ``N (1 + stretch)`` samples.

        If ``stretch`` was always 0, the output is the input ``delay`` samples later, bit for bit.
        """
        count = block.shape[1]
        joined = np.concatenate((self._past, block), 1)
        self._past = joined[:, count:].copy()
        if stretch == 0.0 and self._at == 0.0:
            first = TAPS // 2
            return joined[:, first : first + count]
        step = 1.0 / (1.0 + stretch)
        made = max(0, int(np.ceil((count - self._at) / step)))
        times = self._at + step * np.arange(made)
        self._at += step * made - count
        return self._interpolate(joined, times)

    def _interpolate(self, joined: np.ndarray, times: np.ndarray) -> np.ndarray:
        whole = np.floor(times).astype(np.int64)
        fine = (times - whole) * _PHASES
        index = fine.astype(np.int64)
        between = (fine - index).astype(np.float32)[:, None]
        weights = self._kernel[index] * (1 - between) + self._kernel[index + 1] * between
        rows = np.lib.stride_tricks.sliding_window_view(joined, TAPS, axis=1)[:, whole + 1]
        return np.einsum("cnt,nt->cn", rows, weights)
