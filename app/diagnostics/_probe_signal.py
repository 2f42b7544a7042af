"""The test signal of a latency measurement."""

from __future__ import annotations

import math

import numpy as np

_LEVEL = 0.4
_BURST_S = 0.6


def probe_signal(rate: int) -> np.ndarray:
    """Bursts of a vowel-like tone at irregular times: float32 ``[N]``, 0.6 s, at ``rate`` Hz.

    Harmonics of 140 Hz with a falling spectrum, which F0 trackers detect as a vowel. The pitch
    glides a little, so that no two periods are equal.
    """
    at = np.arange(round(_BURST_S * rate)) / rate
    phase = 2 * math.pi * (140 * at + 60 * at**2)
    order = np.arange(1, min(25, int(rate / 2 / 230)))
    tone = (np.sin(phase[:, None] * order) / order).sum(1)
    gates = np.zeros_like(at)
    for start, stop in ((0.02, 0.10), (0.16, 0.20), (0.27, 0.41), (0.45, 0.58)):
        edge = np.clip(np.minimum(at - start, stop - at) / 0.004, 0, 1)
        gates += 0.5 - 0.5 * np.cos(math.pi * edge)
    wave = tone * gates
    return (_LEVEL * wave / np.abs(wave).max()).astype(np.float32)
