"""Cuts sounds for recognizers that hear 30 s at most."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

RATE = 16000
LONGEST = 30 * RATE
"""Samples of a piece, at most."""
_CUT = 5 * RATE
"""Samples at the end of a piece in which the quietest place is looked for."""
SMOOTHED = RATE // 10


def pieces(audio: np.ndarray) -> list[np.ndarray]:
    """Cuts ``[samples]`` at the quietest place of the last 5 s of every 30 s."""
    found = []
    while len(audio) > LONGEST:
        last = audio[LONGEST - _CUT : LONGEST].astype(np.float64)
        power = uniform_filter1d(last**2, SMOOTHED)
        at = LONGEST - _CUT + int(power.argmin())
        found.append(audio[:at])
        audio = audio[at:]
    return [*found, audio]
