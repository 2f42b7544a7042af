"""Level of a sound: every 10 ms, and as a whole."""

from __future__ import annotations

import numpy as np

from ..metric import Observer
from ..registry import observer
from ..task import Arrays
from .contours import level_contour

_FULL_SCALE = 1.0
_FLOOR = 1e-12


@observer("contour.level")
class LevelContour(Observer):
    """Keeps ``level`` in dB ``[frames]`` at 100 Hz, ``rms_db``, ``peak_db`` and ``clipped``."""

    rate = 16000
    hears_silence = True

    def observe(self, audio: np.ndarray) -> Arrays:
        """Measures float32 ``[samples]``; levels are in dB of full scale, at least -120."""
        whole = audio.astype(np.float64)
        power = np.mean(whole**2)
        return {
            "level": level_contour(whole).astype(np.float32),
            "rms_db": np.array(10 * np.log10(power + _FLOOR)),
            "peak_db": np.array(10 * np.log10(np.max(whole**2) + _FLOOR)),
            "clipped": np.array(np.mean(np.abs(whole) >= _FULL_SCALE)),
        }
