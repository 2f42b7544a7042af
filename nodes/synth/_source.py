"""The sine source: a sine at F0 where voiced, noise elsewhere.

X. Wang, S. Takaki, J. Yamagishi, "Neural source-filter waveform models for statistical parametric
speech synthesis", IEEE/ACM TASLP 28, 2020; the fundamental alone, without harmonics.
"""

from __future__ import annotations

import math

import torch
from torch import nn

AMPLITUDE = 0.1
_VOICED_NOISE = 0.003
_UNVOICED_NOISE = AMPLITUDE / 3


def sine(
    f0: torch.Tensor, samples: int, rate: int, phase: torch.Tensor | None = None
) -> torch.Tensor:
    """A sine with continuous phase from frame to frame; 0 where F0 is 0.

    The phase is in periods, in float32, and summed over frames from remainders in -0.5..0.5, in the
    same order as in RVC, so that rounding is the same.

    Args:
        f0: Hz ``[streams, frames]`` float32.
        samples: samples a frame.
        rate: samples a second.
        phase: of a stream's last sample so far, in periods, ``[streams]``; set to that of the new
            last sample. None starts at 0.

    Returns:
        ``[streams, frames * samples]`` float32, amplitude 0.1.
    """
    steps = torch.arange(1, samples + 1, dtype=f0.dtype, device=f0.device)
    turns = f0[:, :, None] / rate * steps
    ends = torch.fmod(turns[:, :-1, -1] + 0.5, 1.0) - 0.5
    turns[:, 1:] += ends.cumsum(1).fmod(1.0)[:, :, None]
    if phase is not None:
        turns += phase[:, None, None]
        phase.copy_(turns[:, -1, -1]).fmod_(1.0)
    wave = turns.mul_(2 * math.pi).sin_().mul_(AMPLITUDE)
    return wave.mul_((f0 > 0).to(f0.dtype)[:, :, None]).flatten(1)


def add_noise(
    wave: torch.Tensor, f0: torch.Tensor, noise: torch.Tensor, scale: float | torch.Tensor
) -> torch.Tensor:
    """Adds noise to the source: weak where voiced, a third of the sine's amplitude elsewhere.

    Args:
        wave: ``[streams, frames * samples]``; changed in place.
        f0: Hz ``[streams, frames]``.
        noise: standard normal, shaped as ``wave``.
        scale: factor of the noise.
    """
    level = noise_level(f0, scale)
    shape = (*f0.shape, -1)
    wave.view(shape).addcmul_(noise.view(shape), level[:, :, None])
    return wave


def noise_level(f0: torch.Tensor, scale: float | torch.Tensor) -> torch.Tensor:
    """Standard deviation of the source's noise at each frame, of F0 in Hz of any shape."""
    return torch.where(f0 > 0, _VOICED_NOISE * scale, _UNVOICED_NOISE * scale)


class Source(nn.Module):
    """The merge layer of the harmonics, here of one: a gain, an offset and a tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.l_linear = nn.Linear(1, 1)

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        """``[streams, samples]`` -> ``[streams, 1, samples]`` in the weights' dtype."""
        merged = self.l_linear(wave[:, :, None].to(self.l_linear.weight.dtype))
        return merged.tanh_().transpose(1, 2)
