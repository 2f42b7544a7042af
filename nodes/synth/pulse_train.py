"""A band-limited pulse train of continuous phase: the source of voiced speech."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import torch

_HIGHEST = 0.96
"""Highest harmonic as a share of half the sample rate; the last one fades in above it."""
_NEAR = 1e-4
"""Distance from a pulse in periods below which the quotient of sines loses all precision."""


def pulse_train(
    f0: torch.Tensor, phase: torch.Tensor, hop: int, rate: int, by_values: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """Harmonics of equal amplitude up to half the sample rate, of power 1 where voiced.

    With phi the integral of F0 and H harmonics, the sum of ``cos(2 pi h phi)`` is
    ``(sin((2 H + 1) pi phi) / sin(pi phi) - 1) / 2``, the Dirichlet kernel. H is
    fractional: the harmonic above its integer part has the fractional part as amplitude, so that
    harmonics fade in and out. At the ends of voiced parts the train fades over one frame.

    Args:
        f0: Hz, float64 ``[streams, frames + 1]``, 0 where unvoiced. It is linear between two voiced
            frames, and constant next to an unvoiced one.
        phase: periods at the first frame, float64 ``[streams]``.
        hop: samples from frame to frame.
        rate: samples a second.
        by_values: take shorter ways where the values allow it; an exported network has no
            branches. The result is the same.

    Returns:
        float32 ``[streams, frames * hop]``, from the first frame to the last, and the periods from
        the first frame to each later one, float64 ``[streams, frames]``.
    """
    voiced = f0 > 0
    low, high = _ends(f0, voiced)
    factors = _factors(hop, rate, f0.device)
    passed = ((low + high) * factors.half_frame).cumsum(1)
    by_values = by_values and f0.device.type == "cpu"  # elsewhere a look at values synchronises
    if by_values and not voiced.any():
        return f0.new_zeros(passed.shape[0], passed.shape[1] * hop, dtype=torch.float32), passed
    share, bend = _shares(hop, f0.device)
    begin = torch.cat((phase[:, None], phase[:, None] + passed[:, :-1]), 1).remainder_(1.0)
    low, rise = low[:, :, None], (high - low)[:, :, None]
    # The integral of the straight line from low to high.
    phi = (low * share + rise * bend).mul_(factors.frame).add_(begin[:, :, None])
    here = torch.lerp(low, high[:, :, None], share)
    weights = voiced.to(f0.dtype)[:, :, None]
    fade = torch.lerp(weights[:, :-1], weights[:, 1:], share)
    count = (_HIGHEST * rate / 2) / here.clamp_min_(1.0)
    summed = _harmonics(phi, count, factors.pi, by_values)
    return summed.mul_(fade.mul_((2 / count).sqrt_())).flatten(1).float(), passed


@functools.lru_cache(maxsize=8)
def _shares(hop: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The position of each sample between two frames, and half its square: float64 ``[hop]``."""
    with torch.inference_mode(False):  # a cached constant may be used outside of inference mode
        share = torch.arange(hop, dtype=torch.float64, device=device) / hop
        return share, share.square() / 2


class _Factors(NamedTuple):
    """Numbers as float64 tensors.

    The ONNX exporter rounds Python's to float32, and the phase would drift.
    """

    frame: torch.Tensor
    half_frame: torch.Tensor
    pi: torch.Tensor


@functools.lru_cache(maxsize=8)
def _factors(hop: int, rate: int, device: torch.device) -> _Factors:
    """Seconds of a frame, half of that, and pi."""
    with torch.inference_mode(False):
        numbers = (hop / rate, hop / (2 * rate), math.pi)
        made = (torch.tensor(n, dtype=torch.float64, device=device) for n in numbers)
        return _Factors(*made)


def _harmonics(
    phi: torch.Tensor, count: torch.Tensor, pi: torch.Tensor, by_values: bool
) -> torch.Tensor:
    """The sum of ``cos(2 pi h phi)`` over h = 1..count, the last one in part."""
    whole = count.floor()
    phi = phi - phi.round()
    below = torch.sin(pi * phi)
    above = (2 * whole).add_(1).mul_(pi).mul_(phi).sin_()
    at_pulse = phi.abs() < _NEAR
    if by_values and not at_pulse.any():  # in nine of ten blocks
        summed = above.div_(below).sub_(1).div_(2)
    else:
        kernel = above / torch.where(at_pulse, 1.0, below)
        # Near a pulse the kernel is approximated by its second-order Taylor polynomial.
        bend = whole * (whole + 1) * (2 * whole + 1) / 6 * (2 * pi * phi).square()
        summed = torch.where(at_pulse, whole - bend / 2, (kernel - 1) / 2)
    last = (2 * pi * (whole + 1)).mul_(phi).cos_()
    return summed.add_((count - whole).mul_(last))


def _ends(f0: torch.Tensor, voiced: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """F0 at the beginning and at the end of each frame; an unvoiced end takes the other's F0."""
    before, after = f0[:, :-1], f0[:, 1:]
    low = torch.where(voiced[:, :-1], before, after)
    return low, torch.where(voiced[:, 1:], after, before)
