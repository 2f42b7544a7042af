"""Similarity of feature frames: cosine with the mean over time taken off.

Frames of an encoder share a large constant part. It makes the plain cosine of any two frames near 1
and tells nothing about what was said; what tells frames apart is their difference from that mean.
"""

from __future__ import annotations

import numpy as np

_STILL = 1e-6
"""Share of the RMS below which a frame does not differ from the mean but by rounding."""


def centred_cosine(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cosine of each pair of frames, after each side's own mean over time is taken off.

    ``<a_t - mean(a), b_t - mean(b)> / (|a_t - mean(a)| |b_t - mean(b)|)``: symmetric, and invariant
    to a constant offset and a positive gain of either side.

    Args:
        reference: ``[T, D]``.
        other: ``[T, D]``.

    Returns:
        float64 ``[T]``, -1..1; NaN where a frame equals the mean of its side.
    """
    (one, still), (two, also) = (_centred(x) for x in (reference, other))
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    product = (one * two).sum(axis=1)
    known = ~(still | also)
    return np.where(known, np.clip(product / np.where(known, norms, 1.0), -1, 1), np.nan)


def _centred(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The frames without their mean, and a mask ``[T]`` of those of which nothing is left."""
    frames = frames.astype(np.float64)
    centred = frames - frames.mean(axis=0)
    norms = np.linalg.norm(centred, axis=1)
    return centred, norms <= _STILL * np.sqrt(np.square(frames).sum(axis=1).mean())


def variation(frames: np.ndarray) -> float:
    """How much frames ``[T, D]`` differ from one another: RMS around the mean over RMS, 0..1.

    Frames of a trained encoder have .5 and more. Near 0 all frames are alike, as those of networks
    with random weights are: then no similarity says anything about what tells frames apart. NaN if
    all values are 0.
    """
    frames = frames.astype(np.float64)
    whole = np.square(frames).mean()
    return float(np.sqrt(frames.var(axis=0).mean() / whole)) if whole else float("nan")
