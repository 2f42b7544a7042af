"""PLCMOS: how listeners rate gaps, as late blocks of a live run leave them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..metric import Observer, Origin
from ..packages import package_folder
from ..registry import observer
from ..task import Arrays
from ._onnx import RUNTIME, session
from .dnsmos import SPEECHMOS

_WEIGHTS = "plcmos_models/plcmos_v2.onnx"
_SIZE, _HOP = 512, 256
_ROUNDS, _RATERS = 15, 64
"""Raters that are drawn, and the size of their vectors."""
_FLOOR = -120 / 10 * np.log(10)
"""Added to the smallest logarithm, where the power is 0."""


@observer(
    "mos.plcmos",
    needs=(replace(SPEECHMOS, weights=(_WEIGHTS,)), RUNTIME),
    licence="MIT (Microsoft)",
    heard=Origin("plc-challenge", "ratings of the packet loss concealment challenge"),
    source=(
        "L. Diener, M. Purin, S. Sootla, A. Saabas, R. Aichner, R. Cutler, PLCMOS: a data-driven "
        "non-intrusive metric for the evaluation of packet loss concealment algorithms, "
        "Interspeech 2023."
    ),
)
class Plcmos(Observer):
    """Keeps ``score``, 1..5, the mean of 15 raters."""

    rate = 16000

    def load(self) -> None:
        """Loads the network, and draws the raters: the same ones for every sound."""
        self._network = session(package_folder("speechmos") / _WEIGHTS)
        random = np.random.Generator(np.random.Philox(key=0))
        self._raters = random.standard_normal((_ROUNDS, 1, _RATERS)).astype(np.float32)

    def observe(self, audio: np.ndarray) -> Arrays:
        """Scores float32 ``[samples]``."""
        given = _features(np.clip(audio, -1, 1))[None, None]
        scores = [
            float(
                np.squeeze(self._network.run(None, {"degraded_audio": given, "rater_embed": r})[0])
            )
            for r in self._raters
        ]
        return {"score": np.array(np.mean(scores))}


def _features(audio: np.ndarray) -> np.ndarray:
    """Logarithms of the power in frames of 32 ms, the first with one hop of sound.

    Returns:
        float32 ``[frames, 257]``.
    """
    count = -(-(len(audio) + _SIZE - _HOP) // _HOP)
    padded = np.zeros((count - 1) * _HOP + _SIZE)
    padded[_SIZE - _HOP :][: len(audio)] = audio
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hamming(_SIZE + 1)[:-1], _SIZE)) ** 2
    lowest = power[power > 0].min()
    level = np.where(power > 0, np.log(np.maximum(power, lowest)), np.log(lowest) + _FLOOR)
    return (level / 20).astype(np.float32)
