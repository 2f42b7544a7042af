"""DNSMOS: networks trained on ratings of the Deep Noise Suppression challenges."""

from __future__ import annotations

import numpy as np

from ..metric import Need, Observer, Origin
from ..packages import package_folder
from ..registry import observer
from ..task import Arrays
from ._mel_power import mel_power
from ._onnx import RUNTIME, session

_P835, _P808 = "dnsmos_models/sig_bak_ovr.onnx", "dnsmos_models/model_v8.onnx"
SPEECHMOS = Need("speechmos", "speechmos", "==0.0.1.1", alone=True, weights=(_P835, _P808))
"""Only its files of weights are read: no code of it runs, so nothing that it imports is needed."""
_RATE = 16000
_LENGTH = int(9.01 * _RATE)
"""Samples that the networks take."""
_STEP = _RATE
_WINDOW, _HOP, _MELS = 321, 160, 120
_RANGE_DB, _FLOOR = 80.0, 1e-10
_POLYNOMIALS = {
    "overall": (-0.06766283, 1.11546468, 0.04602535),
    "signal": (-0.08397278, 1.22083953, 0.0052439),
    "background": (-0.13166888, 1.60915514, -0.39604546),
}
"""From the networks' output to scores, by the authors."""


@observer(
    "mos.dnsmos",
    needs=(SPEECHMOS, RUNTIME),
    licence="MIT (Microsoft)",
    heard=Origin("dns-challenge", "ratings of the DNS challenges, P.808 and P.835"),
    source=(
        "C. K. A. Reddy, V. Gopal, R. Cutler, DNSMOS P.835: a non-intrusive perceptual objective "
        "speech quality metric to evaluate noise suppressors, ICASSP 2022."
    ),
)
class Dnsmos(Observer):
    """Keeps ``overall``, ``signal``, ``background`` (P.835) and ``p808``, each 1..5."""

    rate = _RATE

    def load(self) -> None:
        """Loads both networks."""
        home = package_folder("speechmos")
        self._p835, self._p808 = session(home / _P835), session(home / _P808)

    def observe(self, audio: np.ndarray) -> Arrays:
        """Scores float32 ``[samples]``: the mean of pieces of 9.01 s, one a second.

        A shorter sound is repeated to that length. (The package would repeat it further, and
        average equal scores at five times the cost.)
        """
        whole = np.clip(np.resize(audio, max(len(audio), _LENGTH + 1)), -1, 1)
        count = int(np.floor(len(whole) / _RATE) - 9.01) + 1
        pieces = [whole[at : at + _LENGTH] for at in range(0, count * _STEP, _STEP)]
        scores = np.mean([self._piece(piece) for piece in pieces if len(piece) == _LENGTH], axis=0)
        names = ("signal", "background", "overall", "p808")
        return {name: np.array(score) for name, score in zip(names, scores, strict=True)}

    def _piece(self, piece: np.ndarray) -> list[float]:
        raw = self._p835.run(None, {"input_1": piece[None]})[0][0]
        names = ("signal", "background", "overall")
        found = [float(np.polyval(_POLYNOMIALS[n], x)) for n, x in zip(names, raw, strict=True)]
        spectrum = _features(piece[:-_HOP]).astype(np.float32)
        return [*found, float(self._p808.run(None, {"input_1": spectrum[None]})[0][0][0])]


def _features(audio: np.ndarray) -> np.ndarray:
    """Mel levels below the loudest, 80 dB to -1..1: ``[frames, 120]``."""
    power = np.maximum(mel_power(audio, _WINDOW, _HOP, _MELS), _FLOOR)
    level = 10 * np.log10(power / power.max())
    return (np.maximum(level, -_RANGE_DB) + _RANGE_DB / 2) / (_RANGE_DB / 2)
