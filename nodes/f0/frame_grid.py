"""Interpolates the frames of an estimator at every 10 ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voicegraph.nodes.f0.estimator import FRAMES_HZ

_JUMP = 2**0.5
"""Ratio of two frames above which there is no interpolation between them: half an octave."""


def resample_to_grid(times: np.ndarray, f0: np.ndarray, count: int, first: int = 0) -> np.ndarray:
    """F0 in Hz at ``0, 10, 20 ... ms``, 0 where unvoiced: ``[..., frames]`` -> ``[..., count]``.

    A frame is voiced if the nearest frame of ``f0`` is. Between two voiced frames the logarithm of
    F0 is interpolated linearly, unless they differ by half an octave or more. Elsewhere the nearest
    frame is used.

    Args:
        times: times of the frames in seconds, ascending ``[frames]``.
        f0: F0 in Hz ``[..., frames]``, 0 where unvoiced.
        count: number of output frames.
        first: number of the first one, whose time is ``10 ms * first``.
    """
    if not len(times):
        return np.zeros((*f0.shape[:-1], count))
    return GridPositions.of(times, count, first)(f0)


@dataclass(frozen=True, slots=True)
class GridPositions:
    """Where frames every 10 ms lie among those of an estimator.

    Attributes:
        before: the frame at or before each, ``[count]``.
        after: the next one.
        share: position between them, 0..1.
        nearest: the nearer one of them.
    """

    before: np.ndarray
    after: np.ndarray
    share: np.ndarray
    nearest: np.ndarray

    @classmethod
    def of(cls, times: np.ndarray, count: int, first: int = 0) -> GridPositions:
        """The positions for :func:`resample_to_grid`, of at least one frame."""
        grid = np.arange(first, first + count) / FRAMES_HZ
        after = np.clip(np.searchsorted(times, grid), 1, max(len(times) - 1, 1))
        before, after = after - 1, np.minimum(after, len(times) - 1)
        span = np.maximum(times[after] - times[before], 1e-9)
        share = np.clip((grid - times[before]) / span, 0, 1)
        return cls(before, after, share, np.where(share < 0.5, before, after))

    def __call__(self, f0: np.ndarray) -> np.ndarray:
        """F0 in Hz at the positions: ``[..., frames]`` -> ``[..., count]``."""
        nearest = f0[..., self.nearest]
        if not nearest.any():
            return nearest
        low, high = f0[..., self.before], f0[..., self.after]
        voiced = (low > 0) & (high > 0)
        ratio = np.where(voiced, high, 1.0) / np.where(voiced, low, 1.0)
        glides = voiced & (ratio < _JUMP) & (ratio > 1 / _JUMP)
        return np.where(glides, low * ratio**self.share, nearest)

    def by_confidence(self, f0: np.ndarray, confidence: np.ndarray, threshold: float) -> np.ndarray:
        """F0 in Hz at the positions, 0 where unvoiced: ``[..., frames]`` -> ``[..., count]``.

        A position is voiced where the confidence, linearly interpolated, reaches the threshold: so
        voicing begins and ends between frames, and not at the nearest one.

        Args:
            f0: Hz, where the confidence reaches the threshold.
            confidence: of the same shape.
            threshold: least confidence of a voiced frame.
        """
        known = np.where(confidence >= threshold, f0, 0.0)
        low, high = confidence[..., self.before], confidence[..., self.after]
        voiced = low + self.share * (high - low) >= threshold
        found = self(known)
        either = np.maximum(known[..., self.before], known[..., self.after])
        return np.where(voiced, np.where(found > 0, found, either), 0.0)
