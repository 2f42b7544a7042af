"""Records a clip by a cheap microphone: its frequency response."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.signal import fftconvolve, firwin2

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import at_level_of

_RESPONSES = {
    "laptop": (
        (0, -40), (100, -24), (200, -9), (400, -2), (1000, 0), (2500, 1), (4500, 6), (6000, 3),
        (8000, -4), (12000, -10), (24000, -30),
    ),
    "headset": (
        (0, -40), (80, -18), (150, -6), (300, 0), (1000, 0), (2500, 4), (4000, 5), (7000, 0),
        (9000, -12), (12000, -24), (24000, -40),
    ),
}  # fmt: skip
"""Frequency in Hz and gain in dB."""
_LENGTH_S = 0.032
"""Of the filter: a resolution of about 60 Hz."""


class MicrophoneParams(Params):
    """Params of ``microphone``."""

    microphone: Literal["laptop", "headset"]
    """``laptop``: in the case, no bass below 200 Hz, a resonance at 4.5 kHz. ``headset``: on a
    boom, presence at 4 kHz, nothing above 9 kHz."""


@condition("microphone")
class Microphone(Condition):
    """A filter with zero delay, at the clip's level.

    The responses are plain models of what data sheets of such microphones show (a high-pass, a
    resonance of the port, a slope beyond it), and no measurement of one device. Rooms and noise
    are conditions of their own: give a list.
    """

    text = "the frequency response of a cheap microphone (laptop, headset)"
    params = MicrophoneParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Filters."""
        del seed
        assert isinstance(given, MicrophoneParams)
        heard = fftconvolve(audio.astype(np.float64), response(given.microphone, rate), "full")
        start = (len(heard) - len(audio)) // 2
        return at_level_of(heard[start : start + len(audio)], audio), {}


def response(microphone: str, rate: int) -> np.ndarray:
    """Impulse response float64 ``[samples]``, an odd number, symmetric."""
    hz, db = np.array(_RESPONSES[microphone], np.float64).T
    size = 2 * round(_LENGTH_S * rate / 2) + 1
    grid = np.linspace(0, rate / 2, size)
    gains = 10 ** (np.interp(grid, hz, db) / 20)
    return np.asarray(firwin2(size, grid, gains, fs=rate))
