"""The power of audio in short frames, weighted by a Hann window."""

from __future__ import annotations

from fractions import Fraction

import torch

WINDOW_S = Fraction(25, 1000)
"""Length of a frame: two periods of a low voice, and short against a syllable."""


def window_samples(rate: Fraction) -> int:
    """Samples of a frame at ``rate`` Hz; even, so that the frame has a centre."""
    return 2 * round(WINDOW_S / 2 * rate)


def hann_power(
    audio: torch.Tensor, first: int, count: int, rate: Fraction, frames_hz: int
) -> torch.Tensor:
    """Mean squares, weighted by a periodic Hann window.

    Args:
        audio: ``[streams, samples]``.
        first: index of the sample at which the first frame begins, half a window before its centre.
        count: number of frames.
        rate: of the audio, in Hz.
        frames_hz: frames a second; a frame that would begin between two samples begins at the
            earlier one.

    Returns:
        float64 ``[streams, count]``.
    """
    size = window_samples(rate)
    window = torch.hann_window(size, dtype=torch.float64, device=audio.device)
    begins = torch.tensor([first + int(k * rate / frames_hz) for k in range(count)])
    places = begins[:, None] + torch.arange(size)
    return audio[:, places.to(audio.device)].double().square() @ (window / window.sum())
