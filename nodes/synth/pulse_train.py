"""A band-limited pulse train of continuous phase: the source of voiced speech."""

from __future__ import annotations

import torch

_HIGHEST = 0.96
"""Highest harmonic as a share of half the sample rate; the last one fades in above it."""
_NEAR = 1e-4
"""Distance from a pulse in periods below which the quotient of sines loses all precision."""


def advance(f0: torch.Tensor, hop: int, rate: int) -> torch.Tensor:
    """Periods from each frame to the next: ``[streams, frames]`` -> one frame fewer.

    Args:
        f0: Hz, float64, 0 where unvoiced. It is linear between two voiced frames, and constant
            next to an unvoiced one.
        hop: samples from frame to frame.
        rate: samples a second.
    """
    low, high = _ends(f0)
    return (low + high) * (hop / (2 * rate))


def pulse_train(f0: torch.Tensor, phase: torch.Tensor, hop: int, rate: int) -> torch.Tensor:
    """Harmonics of equal amplitude up to half the sample rate, of power 1 where voiced.

    With phi the integral of F0 and H harmonics, the sum of ``cos(2 pi h phi)`` is
    ``(sin((2 H + 1) pi phi) / sin(pi phi) - 1) / 2``, the Dirichlet kernel. H is
    fractional: the harmonic above its integer part has the fractional part as amplitude, so that
    harmonics fade in and out. At the ends of voiced parts the train fades over one frame.

    Args:
        f0: Hz, float64 ``[streams, frames + 1]``, 0 where unvoiced.
        phase: periods at the first frame, float64 ``[streams]``.
        hop: samples from frame to frame.
        rate: samples a second.

    Returns:
        float32 ``[streams, frames * hop]``: from the first frame to the last.
    """
    low, high = _ends(f0)
    share = torch.arange(hop, dtype=f0.dtype, device=f0.device) / hop
    passed = advance(f0, hop, rate).cumsum(1)
    begin = torch.cat((phase[:, None], phase[:, None] + passed[:, :-1]), 1) % 1.0
    # The integral of the straight line from low to high.
    bent = low[:, :, None] * share + (high - low)[:, :, None] * (share.square() / 2)
    phi = begin[:, :, None] + bent * (hop / rate)
    here = torch.lerp(low[:, :, None], high[:, :, None], share)
    voiced = (f0 > 0).to(f0.dtype)
    fade = torch.lerp(voiced[:, :-1, None], voiced[:, 1:, None], share)
    count = (_HIGHEST * rate / 2) / here.clamp_min(1.0)
    return (_harmonics(phi, count) * (fade * (2 / count).sqrt())).flatten(1).float()


def _harmonics(phi: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """The sum of ``cos(2 pi h phi)`` over h = 1..count, the last one in part."""
    whole = count.floor()
    phi = phi - phi.round()
    below = torch.sin(torch.pi * phi)
    at_pulse = phi.abs() < _NEAR
    kernel = torch.sin((2 * whole + 1) * torch.pi * phi) / torch.where(at_pulse, 1.0, below)
    # Near a pulse the kernel is approximated by its second-order Taylor polynomial.
    bend = whole * (whole + 1) * (2 * whole + 1) / 6 * (2 * torch.pi * phi).square()
    summed = torch.where(at_pulse, whole - bend / 2, (kernel - 1) / 2)
    return summed + (count - whole) * torch.cos(2 * torch.pi * (whole + 1) * phi)


def _ends(f0: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """F0 at the beginning and at the end of each frame; an unvoiced end takes the other's F0."""
    before, after = f0[:, :-1], f0[:, 1:]
    return torch.where(before > 0, before, after), torch.where(after > 0, after, before)
