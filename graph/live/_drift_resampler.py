"""Resampling by a few parts per million, so that two devices with two clocks stay together.

Windowed-sinc interpolation at times that move slowly against the samples: J. O. Smith, "Digital
Audio Resampling" (the bandlimited interpolation of Smith and Gossett 1984), with a Kaiser window
and a finely sampled kernel between whose entries is interpolated linearly. While there is nothing
to correct, the kernel stands on a sample, where it is 1 and elsewhere 0: what comes out is what
went in, bit for bit.
"""

from __future__ import annotations

import numpy as np

TAPS = 32
"""Samples that one is made of. Half of them lie ahead, which is the delay."""
_PHASES = 512
_BETA = 9.0
"""Kaiser's: side lobes at about -90 dB."""


def _kernel() -> np.ndarray:
    """Weights ``[phases + 1, TAPS]`` for times from one sample to the next."""
    offsets = np.arange(TAPS) - (TAPS // 2 - 1)
    phase = np.arange(_PHASES + 1)[:, None] / _PHASES
    at = offsets - phase
    shape = np.i0(_BETA * np.sqrt(np.maximum(0, 1 - (at / (TAPS / 2)) ** 2))) / np.i0(_BETA)
    weights = np.sinc(at) * shape
    weights /= weights.sum(1, keepdims=True)  # a constant stays what it is
    weights[0] = offsets == 0
    weights[-1] = offsets == 1
    return weights.astype(np.float32)


class DriftResampler:
    """Makes blocks slightly longer or shorter; phase-continuous from block to block.

    Args:
        channels: of the blocks.

    Attributes:
        delay: samples by which the output lies behind the input.
    """

    delay = TAPS // 2

    def __init__(self, channels: int) -> None:
        self._kernel = _kernel()
        self._past = np.zeros((channels, TAPS), np.float32)
        self._at = 0.0  # time of the next output sample, in samples from the oldest that it needs

    def __call__(self, block: np.ndarray, stretch: float) -> np.ndarray:
        """``[C, N]`` to about ``N (1 + longer)`` samples.

        With ``stretch`` 0 since the beginning the output is the input, ``delay`` samples later.
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
