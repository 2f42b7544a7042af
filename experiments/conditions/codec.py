"""Codes a clip with losses, and decodes it."""

from __future__ import annotations

import io
import re
from typing import Annotated

import numpy as np
import soundfile
import soxr
from pydantic import AfterValidator, WithJsonSchema

from ..metric import Condition, Params
from ..registry import condition
from ..task import Arrays
from ._mixing import with_length

_CODEC = re.compile(r"(opus|mp3)([0-9]{1,3})")
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_KBPS = {"opus": (6, 256), "mp3": (8, 320)}
_MP3_DELAY = 576 + 529
"""Samples that an encoder and a decoder add in front."""
_HIGHEST_LEVEL = 0.999
"""libsndfile takes a level of 1 for none."""


def _known(value: str) -> str:
    found = _CODEC.fullmatch(value)
    if found is None:
        raise ValueError(
            f"expected opus or mp3 and kbit/s, such as opus16 or mp364, found {value!r}"
        )
    low, high = _KBPS[found[1]]
    if not low <= int(found[2]) <= high:
        raise ValueError(f"{found[1]} takes {low} to {high} kbit/s, found {found[2]}")
    return value


class CodecParams(Params):
    """Params of ``codec``."""

    codec: Annotated[
        str, AfterValidator(_known), WithJsonSchema({"type": "string", "pattern": _CODEC.pattern})
    ]
    """``opus`` or ``mp3``, and kbit/s, such as ``opus16``."""


@condition("codec")
class Codec(Condition):
    """There and back by libsndfile, without the delay of the codec.

    Opus chooses its bit rate from moment to moment, and keeps to the given one on average within
    some 15 %. MP3 has a constant rate, the nearest that exists. A rate that the codec does not know
    is resampled to 48 kHz.
    """

    text = "Opus or MP3 at a bit rate"
    params = CodecParams

    def apply(
        self, audio: np.ndarray, rate: int, given: Params, seed: int
    ) -> tuple[np.ndarray, Arrays]:
        """Codes and decodes; raises ValueError if MP3 has no such bit rate at this sample rate."""
        del seed
        assert isinstance(given, CodecParams)
        found = _CODEC.fullmatch(given.codec)
        assert found is not None
        name, kbps = found[1], int(found[2])
        used = rate if rate in (_OPUS_RATES if name == "opus" else _MP3_RATES) else 48000
        whole = np.clip(audio, -1, 1).astype(np.float64)
        sound = soxr.resample(whole, rate, used) if used != rate else whole
        heard = _opus(sound, used, kbps) if name == "opus" else _mp3(sound, used, kbps)
        back = soxr.resample(heard, used, rate) if used != rate else heard
        return with_length(back, len(audio)), {}


def _opus(sound: np.ndarray, rate: int, kbps: int) -> np.ndarray:
    low, high = _KBPS["opus"]
    return _there_and_back(sound, rate, ("OGG", "OPUS"), 1 - (kbps - low) / (high - low), None)


def _mp3(sound: np.ndarray, rate: int, kbps: int) -> np.ndarray:
    low, high = (32, 320) if rate >= 32000 else (8, 160) if rate >= 16000 else (8, 64)
    if not low <= kbps <= high:
        raise ValueError(f"MP3 at {rate} Hz takes {low} to {high} kbit/s, not {kbps}")
    level = min(1 - (kbps - low) / (high - low), _HIGHEST_LEVEL)
    made = _there_and_back(sound, rate, ("MP3", "MPEG_LAYER_III"), level, "CONSTANT")
    # At low rates there is no room for the header that says how much silence the encoder added.
    return made[_MP3_DELAY:] if len(made) > len(sound) else made


def _there_and_back(
    sound: np.ndarray, rate: int, kind: tuple[str, str], level: float, mode: str | None
) -> np.ndarray:
    held = io.BytesIO()
    with soundfile.SoundFile(
        held, "w", rate, 1, kind[1], format=kind[0], compression_level=level, bitrate_mode=mode
    ) as file:
        file.write(sound)
    held.seek(0)
    return soundfile.read(held)[0]
