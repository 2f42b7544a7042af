"""Sends a clip over a telephone line."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, sosfiltfilt

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import SILENT, at_level_of, with_length

_RATE = 8000
_BAND_HZ = (300.0, 3400.0)
_ORDER = 6
_NOMINAL_DB = -26.0
"""Level of speech on a line, in dB of full scale: ITU-T P.830."""
_LAWS = {"telephone": "ULAW", "telephone-a": "ALAW"}


class LineParams(Params):
    """Params of ``line``."""

    line: Literal["telephone", "telephone-a"]
    """Telephone band and G.711, by mu-law (North America, Japan) or A-law (elsewhere)."""


@condition("line")
class Line(Condition):
    """300 to 3400 Hz at 8 kHz, 8 bits a sample by ITU-T G.711, at the clip's level.

    Speech is brought to the nominal level of -26 dB before it is coded. Filters have no delay.
    """

    text = "telephone: 300 to 3400 Hz, 8 kHz, G.711"
    params = LineParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Filters, codes and decodes."""
        del seed
        assert isinstance(given, LineParams)
        narrow = _in_band(soxr.resample(audio.astype(np.float64), rate, _RATE))
        power = np.mean(narrow**2) if len(narrow) else 0.0
        if power < SILENT:
            return audio, {}
        gain = 10 ** (_NOMINAL_DB / 20) / np.sqrt(power)
        heard = _in_band(_coded(np.clip(gain * narrow, -1, 1), _LAWS[given.line]))
        return at_level_of(with_length(soxr.resample(heard, _RATE, rate), len(audio)), audio), {}


def _in_band(audio: np.ndarray) -> np.ndarray:
    filters = np.asarray(butter(_ORDER, _BAND_HZ, "band", fs=_RATE, output="sos"))
    edge = min(3 * (2 * len(filters) + 1), len(audio) - 1)
    return np.asarray(sosfiltfilt(filters, audio, padlen=max(0, edge)))


def _coded(audio: np.ndarray, law: str) -> np.ndarray:
    """G.711 there and back, by libsndfile; ``[samples]`` at 8 kHz."""
    held = io.BytesIO()
    soundfile.write(held, audio, _RATE, law, format="WAV")
    held.seek(0)
    return soundfile.read(held)[0]
