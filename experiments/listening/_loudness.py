"""Loudness of a sound in LUFS.

ITU-R BS.1770-5, "Algorithms to measure audio programme loudness and true-peak audio level", annex
1: K-weighting and two gates. The filters' coefficients are those of the standard at 48 kHz, so
sounds are brought to that rate first.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

RATE = 48000
"""Sample rate in Hz of what is measured."""

_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_BLOCK, _STEP = RATE * 400 // 1000, RATE * 100 // 1000
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0


def loudness(audio: np.ndarray) -> float | None:
    """Integrated loudness in LUFS of one channel at 48 kHz; None if nothing passes the gate.

    A sound shorter than a block of 400 ms counts as one block, filled with silence.

    Args:
        audio: ``[samples]``.
    """
    weighted = lfilter(*_HIGH_PASS, lfilter(*_SHELF, audio.astype(np.float64)))
    power = np.square(np.pad(weighted, (0, max(0, _BLOCK - len(weighted)))))
    total = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, len(power) - _BLOCK + 1, _STEP)
    blocks = np.maximum(0.0, total[starts + _BLOCK] - total[starts]) / _BLOCK
    passed = blocks[_lufs(blocks) > _ABSOLUTE_GATE]
    if not len(passed):
        return None
    passed = passed[_lufs(passed) > _lufs(passed.mean()) + _RELATIVE_GATE]
    return float(_lufs(passed.mean()))


def _lufs(power: np.ndarray | float) -> np.ndarray:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-20))
