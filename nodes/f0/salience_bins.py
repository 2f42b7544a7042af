"""F0 from salience over pitch bins, the output of RMVPE, FCPE and CREPE."""

from __future__ import annotations

import torch

CREPE_CENTS = (1997.3794084376191, 20.0)
"""The bins of CREPE and RMVPE: the first in cents above 10 Hz (31.7 Hz), and their distance."""
_AROUND = 4
"""Bins on either side of the maximum that are averaged."""


def to_hertz(cents: torch.Tensor) -> torch.Tensor:
    """Cents above 10 Hz to Hz."""
    return 10 * 2 ** (cents / 1200)


def crepe_cents(count: int = 360) -> torch.Tensor:
    """Centres of the bins in cents above 10 Hz: float64 ``[count]``."""
    first, step = CREPE_CENTS
    return first + step * torch.arange(count, dtype=torch.float64)


def bins_in_range(cents: torch.Tensor, floor: float, ceiling: float) -> torch.Tensor:
    """Which bins lie between ``floor`` and ``ceiling`` in Hz: bool ``[bins]``.

    Raises:
        ValueError: if none does.
    """
    hertz = to_hertz(cents)
    found = (hertz >= floor) & (hertz <= ceiling)
    if not found.any():
        low, high = float(hertz[0]), float(hertz[-1])
        raise ValueError(
            f"no pitch that the network knows lies from {floor:g} to {ceiling:g} Hz: it knows "
            f"{len(cents)}, from {low:.1f} to {high:.0f} Hz"
        )
    return found


def decode(
    salience: torch.Tensor,
    cents: torch.Tensor,
    threshold: float | torch.Tensor,
    path: torch.Tensor | None = None,
) -> torch.Tensor:
    """F0 in Hz: the average of nine bins around the maximum, weighted by their salience.

    Args:
        salience: ``[..., frames, bins]``, 0 outside the search range.
        cents: centres of the bins in cents above 10 Hz ``[bins]``.
        threshold: the maximum salience exceeds it in a voiced frame.
        path: the bins to average around, int64 ``[..., frames]``; by default the maxima.

    Returns:
        ``[..., frames]`` float64, 0 where unvoiced.
    """
    salience = salience.double()
    best = salience.argmax(-1) if path is None else path
    offsets = torch.arange(-_AROUND, _AROUND + 1, device=salience.device)
    near = best[..., None] + offsets
    inside = (near >= 0) & (near < len(cents))
    near = near.clamp(0, len(cents) - 1)
    weights = salience.gather(-1, near) * inside
    height = salience.gather(-1, best[..., None])[..., 0]
    voiced = (height > threshold) & (height > 0)
    average = (weights * cents[near]).sum(-1) / weights.sum(-1)
    return torch.where(voiced, to_hertz(average), 0.0)


def decode_float32(
    salience: torch.Tensor, cents: torch.Tensor, threshold: torch.Tensor
) -> torch.Tensor:
    """As :func:`decode`, for exported networks: ``[..., frames]`` float32."""
    return decode(salience, cents, threshold).float()
