"""The power of audio in short frames, weighted by a Hann window."""

from __future__ import annotations

from fractions import Fraction

import torch

WINDOW_S = Fraction(25, 1000)
"""Length of a frame: two periods of a low voice, and short against a syllable."""


def window_samples(rate: Fraction) -> int:
    """Samples of a frame at ``rate`` Hz; even, so that the frame has a centre."""
    return 2 * round(WINDOW_S / 2 * rate)


class HannPower:
    """Mean squares of frames, weighted by a periodic Hann window.

    Args:
        first: index of the sample at which the first frame begins, half a window before its centre.
        count: number of frames.
        rate: of the audio, in Hz.
        frames_hz: frames a second; a frame that would begin between two samples begins at the
            earlier one.
    """

    def __init__(self, first: int, count: int, rate: Fraction, frames_hz: int) -> None:
        size = window_samples(rate)
        window = torch.hann_window(size, dtype=torch.float64)
        begins = torch.tensor([first + int(k * rate / frames_hz) for k in range(count)])
        self._weights = window / window.sum()
        self._places = begins[:, None] + torch.arange(size)

    def __call__(self, audio: torch.Tensor) -> torch.Tensor:
        """``[streams, samples]`` on the CPU -> float64 ``[streams, count]``."""
        return audio[:, self._places].double().square() @ self._weights
