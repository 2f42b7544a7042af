"""F0 by WORLD's Harvest, refined by StoneMask."""

from __future__ import annotations

import numpy as np

from ..metric import Observer, Origin
from ..registry import observer
from ..task import Arrays
from .contours import harvest_contour


@observer(
    "f0.harvest",
    licence="Modified BSD (WORLD), MIT (pyworld)",
    heard=Origin("f0.harvest", "the tracker of the node f0.harvest"),
    source=(
        "M. Morise, Harvest: a high-performance fundamental frequency estimator from "
        "speech signals, Interspeech 2017."
    ),
)
class HarvestContour(Observer):
    """Keeps ``f0`` in Hz ``[frames]`` at 100 Hz, 0 where unvoiced."""

    rate = 16000
    hears_silence = True

    def observe(self, audio: np.ndarray) -> Arrays:
        """Tracks float32 ``[samples]``."""
        return {"f0": harvest_contour(audio).astype(np.float32)}
