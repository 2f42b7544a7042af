"""F0 by SwiftF0, refined by StoneMask."""

from __future__ import annotations

import numpy as np

from ..metric import Observer, Origin
from ..registry import observer
from ..task import Arrays
from .contours import swift_contour


@observer(
    "f0.swift",
    version=2,
    licence="MIT (SwiftF0), Modified BSD (WORLD)",
    heard=Origin("f0.swift", "the tracker of the node f0.swift"),
    source=(
        "L. Nieradzik, SwiftF0: fast and accurate monophonic pitch detection, arXiv "
        "2508.18440, 2025."
    ),
)
class SwiftContour(Observer):
    """Keeps ``f0`` in Hz ``[frames]`` at 100 Hz, 0 where unvoiced."""

    rate = 16000
    hears_silence = True

    def observe(self, audio: np.ndarray) -> Arrays:
        """Tracks float32 ``[samples]``."""
        return {"f0": swift_contour(audio).astype(np.float32)}
