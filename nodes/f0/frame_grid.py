"""From an estimator's own frames onto those at every 10 ms."""

from __future__ import annotations

import numpy as np

from voicegraph.nodes.f0._estimator import FRAMES_HZ

_JUMP = 2**0.5
"""Two frames further apart than half an octave are a jump, not a glide: nothing lies between."""


def resample_to_grid(times: np.ndarray, f0: np.ndarray, count: int) -> np.ndarray:
    """F0 in Hz at ``0, 10, 20 ... ms``, 0 where unvoiced: ``[count]``.

    A frame is voiced if the nearest of ``f0`` is. Between two voiced ones the logarithm of F0 is
    interpolated linearly, unless it jumps; elsewhere the nearest is taken.

    Args:
        times: when the frames lie, in seconds, rising ``[frames]``.
        f0: their F0 in Hz, 0 where unvoiced ``[frames]``.
        count: frames wanted.
    """
    if not len(f0):
        return np.zeros(count)
    grid = np.arange(count) / FRAMES_HZ
    after = np.clip(np.searchsorted(times, grid), 1, max(len(times) - 1, 1))
    before, after = after - 1, np.minimum(after, len(times) - 1)
    span = np.maximum(times[after] - times[before], 1e-9)
    share = np.clip((grid - times[before]) / span, 0, 1)
    low, high = f0[before], f0[after]
    nearest = np.where(share < 0.5, low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = high / low
        between = low * ratio**share
    glides = (low > 0) & (high > 0) & (ratio < _JUMP) & (ratio > 1 / _JUMP)
    return np.where(glides, between, nearest)
