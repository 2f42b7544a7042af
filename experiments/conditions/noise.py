"""Adds noise to a clip at an exact signal-to-noise ratio."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy.signal import welch

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import add_at_snr
from ._sound_files import SoundFiles, random_stretch

_FLAT_BELOW_HZ = 50.0
"""Below this, no voice has anything, and 1/f noise would have most of its power."""
_SLOPES = {"white": 0.0, "pink": -0.5, "brown": -1.0}
"""Exponent of the amplitude over frequency: pink falls by 3, brown by 6 dB an octave."""
_SPEECH_WINDOW_S = 0.064


class NoiseParams(Params):
    """Params of ``noise``."""

    noise: Literal["white", "pink", "brown", "speech"] | SoundFiles
    """A colour; ``speech``: the long-term spectrum of the clip itself; or recordings."""
    snr: Annotated[float, Field(ge=-30, le=80)]
    """Signal-to-noise ratio in dB, over the whole clip."""


@condition("noise")
class Noise(Condition):
    """Stationary noise of a colour, or recorded noise."""

    text = "white, pink, brown or speech-shaped noise, or recordings, at an exact SNR"
    params = NoiseParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Adds the noise; raises ValueError if a recording is silent."""
        assert isinstance(given, NoiseParams)
        random = np.random.Generator(np.random.Philox(key=seed))
        if isinstance(given.noise, SoundFiles):
            noise = random_stretch(given.noise.files, len(audio), rate, random)
        elif given.noise == "speech":
            noise = _shaped(audio, rate, random)
        else:
            noise = coloured(len(audio), rate, _SLOPES[given.noise], random)
        return add_at_snr(audio, noise, given.snr), {}


def coloured(samples: int, rate: int, slope: float, random: np.random.Generator) -> np.ndarray:
    """Gaussian noise with amplitudes as frequency to the power ``slope``, flat below 50 Hz.

    Returns:
        float64 ``[samples]``.
    """
    frequency = np.maximum(np.fft.rfftfreq(samples, 1 / rate), _FLAT_BELOW_HZ)
    return _filtered(random.standard_normal(samples), (frequency / _FLAT_BELOW_HZ) ** slope)


def _shaped(audio: np.ndarray, rate: int, random: np.random.Generator) -> np.ndarray:
    """Noise with the long-term power spectrum of a clip.

    Festen and Plomp, "Effects of fluctuating noise and interfering speech on the speech-reception
    threshold for impaired and normal hearing", JASA 88, 1990; the spectrum by Welch's method.
    """
    size = min(len(audio), 2 * round(_SPEECH_WINDOW_S * rate / 2))
    at, power = welch(audio.astype(np.float64), rate, nperseg=size)
    wanted = np.interp(np.fft.rfftfreq(len(audio), 1 / rate), at, np.sqrt(power))
    return _filtered(random.standard_normal(len(audio)), wanted)


def _filtered(white: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    return np.fft.irfft(np.fft.rfft(white) * amplitude, len(white))
