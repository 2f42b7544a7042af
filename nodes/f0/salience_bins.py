"""F0 from a network's salience over bins of pitch, as RMVPE, FCPE and CREPE give it."""

from __future__ import annotations

import torch

CREPE_CENTS = (1997.3794084376191, 20.0)
"""The bins of CREPE and RMVPE: the first, in cents over 10 Hz (31.7 Hz), and their distance."""
_AROUND = 4
"""Bins on either side of the highest that are averaged."""


def to_hertz(cents: torch.Tensor) -> torch.Tensor:
    """Cents over 10 Hz as Hz."""
    return 10 * 2 ** (cents / 1200)


def crepe_cents(count: int = 360) -> torch.Tensor:
    """Centres of the bins in cents over 10 Hz: ``[count]`` float64."""
    first, step = CREPE_CENTS
    return first + step * torch.arange(count, dtype=torch.float64)


def bins_in_range(cents: torch.Tensor, floor: float, ceiling: float) -> torch.Tensor:
    """Which bins lie from ``floor`` to ``ceiling`` in Hz.

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
    threshold: float,
    path: torch.Tensor | None = None,
) -> torch.Tensor:
    """F0 in Hz: the average of nine bins around the highest, weighted by their salience.

    Args:
        salience: ``[..., frames, bins]``, 0 where no pitch is looked for.
        cents: the bins' centres in cents over 10 Hz.
        threshold: what the highest salience must exceed in a voiced frame.
        path: the bins to average around ``[..., frames]``, where not the highest.

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
