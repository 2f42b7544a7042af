"""F0 by WORLD's DIO, refined by StoneMask."""

from __future__ import annotations

import numpy as np

from ..metric import Observer, Origin
from ..registry import observer
from ..task import Arrays
from .contours import dio_contour


@observer(
    "f0.dio",
    licence="Modified BSD (WORLD), MIT (pyworld)",
    heard=Origin("f0.dio", "the tracker of the node f0.dio"),
    source=(
        "M. Morise, H. Kawahara, H. Katayose, Fast and reliable F0 estimation method "
        "based on the period extraction of vocal fold vibration of singing voice and "
        "speech, AES 35th Int. Conf., 2009."
    ),
)
class DioContour(Observer):
    """Keeps ``f0`` in Hz ``[frames]`` at 100 Hz, 0 where unvoiced."""

    rate = 16000
    hears_silence = True

    def observe(self, audio: np.ndarray) -> Arrays:
        """Tracks float32 ``[samples]``."""
        return {"f0": dio_contour(audio).astype(np.float32)}
