"""Up to which frequency there is speech in a recording: telephones end at 3.4 kHz."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import welch

TELEPHONE_HZ = 4500.0
"""Speech that ends below sounds like a telephone."""
_SIZE = 1024
_DROP_DB = 60.0
"""So far below its strongest part speech is over. Fricatives of a close voice stay above."""
_AT_MOST_S = 120.0


def highest_hz(audio: np.ndarray, rate: int, spans: Sequence[tuple[float, float]]) -> float:
    """The highest frequency with speech in it.

    Args:
        audio: float32 ``[samples]``.
        rate: samples a second.
        spans: where speech is, in seconds; two minutes of it are enough.
    """
    pieces: list[np.ndarray] = []
    taken = 0.0
    for start, end in spans:
        if taken > _AT_MOST_S:
            break
        pieces.append(audio[int(start * rate) : int(end * rate)])
        taken += end - start
    frequency, power = welch(np.concatenate(pieces), rate, nperseg=_SIZE)
    level = 10 * np.log10(power + 1e-20)
    return float(frequency[np.flatnonzero(level > level.max() - _DROP_DB)[-1]])
