"""Puts a speaker into a room, some way from the microphone."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, WithJsonSchema
from scipy.signal import fftconvolve

from voicegraph.graph import Duration

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import at_level_of

_SOUND_M_S = 343.0
_DECAY = np.log(10**3)
"""Amplitude falls by 60 dB in the reverberation time."""
_CRITICAL = 0.057
"""Critical distance in m is this times the square root of volume over reverberation time."""
_LENGTH = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?(m|cm)", re.ASCII)


def _metres(value: Any) -> Any:
    if isinstance(value, str) and (found := _LENGTH.fullmatch(value.strip())):
        return float(found[1]) * (0.01 if found[2] == "cm" else 1.0)
    if isinstance(value, str):
        raise ValueError(f"expected a length such as 2m or 50cm, found {value!r:.60}")
    return value


Metres = Annotated[float, BeforeValidator(_metres), WithJsonSchema({"type": ["number", "string"]})]
"""A length: ``2m``, ``50cm``, or a number of metres."""


class RoomShape(Params):
    """A room."""

    t60: Duration = Field(ge=Fraction(50, 1000), le=Fraction(5))
    """Reverberation time: until the sound has decayed by 60 dB."""
    distance: Annotated[Metres, Field(gt=0.05, le=20)] = 1.0
    """From mouth to microphone."""
    volume: Annotated[float, Field(ge=5, le=10_000)] = 60.0
    """In cubic metres."""


class RoomParams(Params):
    """Params of ``room``."""

    room: RoomShape
    """Reverberation time, distance and volume."""


@condition("room")
class Room(Condition):
    """Direct sound, and a tail of noise that decays exponentially, at the clip's level.

    The statistical model of a diffuse field: J.-D. Polack, La transmission de l'energie sonore dans
    les salles, thesis, Universite du Maine, 1988; J. A. Moorer, About this reverberation business,
    Computer Music Journal 3(2), 1979. The ratio of direct to reverberant energy follows from the
    critical distance (H. Kuttruff, Room Acoustics, 5th ed., 2009, section 5.1). All frequencies
    decay alike, and there are no single early reflections. The direct sound is not delayed.
    """

    text = "reverberation by a decaying tail of noise, from T60 and distance"
    params = RoomParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Convolves with a room's impulse response of its own."""
        assert isinstance(given, RoomParams)
        random = np.random.Generator(np.random.Philox(key=seed))
        heard = fftconvolve(audio.astype(np.float64), impulse_response(given.room, rate, random))
        return at_level_of(heard[: len(audio)], audio), {}


def impulse_response(room: RoomShape, rate: int, random: np.random.Generator) -> np.ndarray:
    """Impulse response float64 ``[samples]``; its first sample is the direct sound, 1."""
    t60 = float(room.t60)
    time = np.arange(round(t60 * rate) + 1) / rate
    tail = random.standard_normal(len(time)) * np.exp(-_DECAY * time / t60)
    # In a cube, a sound flies so long on average before it hits a wall (mean free path 4 V / S).
    tail[time < 4 * room.volume / (6 * room.volume ** (2 / 3)) / _SOUND_M_S] = 0.0
    tail[0] = 0.0
    critical = _CRITICAL * np.sqrt(room.volume / t60)
    tail *= room.distance / critical / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return tail
