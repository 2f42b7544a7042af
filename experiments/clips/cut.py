"""Cuts recordings: a fixed part, or one that ends at a pause."""

from __future__ import annotations

import numpy as np

HOP_S = 0.01
"""Grid of cuts, in seconds."""
WINDOW_S = 0.1
"""What counts as quietest."""


def quietest(audio: np.ndarray, rate: int, first_s: float, last_s: float) -> float:
    """Where a recording is quietest between two times: the middle of the quietest 0.1 s.

    Args:
        audio: ``[samples]``.
        rate: sample rate in Hz.
        first_s: earliest time, in seconds.
        last_s: latest time.

    Returns:
        Seconds, on a grid of 10 ms; the earliest of several equal ones.
    """
    hop, half = round(rate * HOP_S), round(rate * WINDOW_S / 2)
    power = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    times = np.arange(round(first_s / HOP_S), round(last_s / HOP_S) + 1)
    low = np.clip(times * hop - half, 0, len(audio))
    high = np.clip(times * hop + half, 0, len(audio))
    # A window at the end is shorter, and would seem quieter.
    mean = (power[high] - power[low]) / np.maximum(high - low, 1)
    return float(times[np.argmin(mean)]) * HOP_S
