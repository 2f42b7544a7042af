"""The power of audio in short frames, under a Hann window."""

from __future__ import annotations

from fractions import Fraction

import torch

WINDOW_S = Fraction(25, 1000)
"""Length of a frame: two periods of a low voice, and short against a syllable."""


def window_samples(rate: Fraction) -> int:
    """Samples of a frame, an even number, so that it has a middle."""
    return 2 * round(WINDOW_S / 2 * rate)


def hann_power(
    audio: torch.Tensor, first: int, count: int, rate: Fraction, frames_hz: int
) -> torch.Tensor:
    """Mean of the squares, weighted by a periodic Hann window.

    Args:
        audio: ``[streams, samples]``.
        first: the sample at which the first frame begins: half a window before its middle.
        count: frames wanted.
        rate: of the audio, in Hz.
        frames_hz: frames a second; where they are no whole number of samples apart, each begins at
            the sample before.

    Returns:
        float64 ``[streams, count]``.
    """
    size = window_samples(rate)
    window = torch.hann_window(size, dtype=torch.float64, device=audio.device)
    begins = torch.tensor([first + int(k * rate / frames_hz) for k in range(count)])
    places = begins[:, None] + torch.arange(size)
    return audio[:, places.to(audio.device)].double().square() @ (window / window.sum())
