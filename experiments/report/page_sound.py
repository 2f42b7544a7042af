"""A sound of the page: encoded, with spectrogram and F0. It is kept in the store, as results are.

Encoding is most of the work of a page. So a run has it done by its workers, and a page finds what
any run has encoded before.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyworld
import soundfile
import soxr

from voicegraph.graph.metrics.spectral_distance import power_spectrogram
from voicegraph.schemas.experiment_page import SoundFormat

from ..task import Kind, Result, Results, Task
from ._ogg_serial import with_serial

MOST_BYTES = 18_000_000
"""Of all sounds and pictures in base64, so that the page stays below 25 MB."""
F0_RATE = 100
"""Frames of F0 a second."""
TOP_HZ = 8000
"""Highest frequency of the pictures."""

_VERSION = 1
"""Counted up when :func:`page_sound` gives something else for a sound."""
_RATE, _WINDOW, _HOP, _ROWS = 16000, 512, 256, 128
_CODED_RATE = 48000
"""Of lossy formats: players resample anything else, and libsndfile codes it fastest."""
_RANGE_DB = 70.0
_GREYS = 15
_FORMATS: Mapping[str, tuple[str, str, str]] = {
    "opus": ("OGG", "OPUS", "audio/ogg"),
    "mp3": ("MP3", "MPEG_LAYER_III", "audio/mpeg"),
    "flac": ("FLAC", "PCM_16", "audio/flac"),
}
_EXPECTED_S = 0.1


def page_sound_key(key: str, format: SoundFormat) -> str:  # noqa: A002 - the setting's name
    """Under which key the store has a sound of the page.

    Args:
        key: of the sound.
        format: how it is encoded.
    """
    return hashlib.sha256(f"page sound {_VERSION} {format} {key}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PageSoundWork:
    """Encodes a sound.

    Attributes:
        sound: its key.
        format: how.
    """

    sound: str
    format: SoundFormat

    def run(self, needs: Results) -> Result:
        """See :func:`page_sound`."""
        found = needs.read(self.sound)
        return page_sound(found.arrays["audio"], int(found.about["rate"]), self.format)

    def files(self) -> Mapping[Path, str]:
        """None."""
        return {}

    def with_files(self, moved: Mapping[Path, Path]) -> PageSoundWork:
        """The same work."""
        del moved
        return self


def page_sound_task(key: str, format: SoundFormat) -> Task:  # noqa: A002 - as above
    """The task that encodes a sound of the store.

    Args:
        key: of the sound.
        format: how it is encoded.
    """
    work = PageSoundWork(key, format)
    label = f"a sound of the page, {key[:12]}"
    return Task(page_sound_key(key, format), Kind.PAGE, work, (key,), "page", label, _EXPECTED_S)


def page_sound(audio: np.ndarray, rate: int, format: SoundFormat) -> Result:  # noqa: A002 - as above
    """A sound as the page has it.

    Args:
        audio: float ``[samples]``.
        rate: in Hz.
        format: of the file.

    Returns:
        ``file`` and ``picture`` (PNG), uint8 ``[bytes]``; ``f0`` in whole Hz, int16 ``[frames]``;
        the file's ``type`` and the sound's ``seconds``.
    """
    container, subtype, mime = _FORMATS[format]
    low = soxr.resample(audio.astype(np.float32), rate, _RATE)
    return Result(
        {
            "file": _as_array(_encoded(audio, rate, container, subtype)),
            "picture": _as_array(spectrogram_png(low)),
            "f0": np.rint(f0_contour(low)).astype(np.int16),
        },
        {"type": mime, "seconds": round(len(audio) / rate, 4)},
    )


def _as_array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


def _encoded(audio: np.ndarray, rate: int, container: str, subtype: str) -> bytes:
    """The file's bytes. Peaks above full scale are clipped, as a sound card clips them."""
    wanted = rate if subtype == "PCM_16" else _CODED_RATE
    samples = np.clip(soxr.resample(audio.astype(np.float32), rate, wanted), -1.0, 1.0)
    file = io.BytesIO()
    soundfile.write(file, samples, wanted, format=container, subtype=subtype)
    return with_serial(file.getvalue(), 1) if container == "OGG" else file.getvalue()


def f0_contour(samples: np.ndarray) -> np.ndarray:
    """F0 by DIO with StoneMask: float ``[samples]`` at 16 kHz -> Hz ``[frames]``, 0 if unvoiced.

    M. Morise et al., "Fast and reliable F0 estimation method based on the period extraction of
    vocal fold vibration of singing voice and speech", AES 35th Int. Conf. (2009).
    """
    if len(samples) < _WINDOW or not np.abs(samples).max():
        return np.zeros(1 + len(samples) * F0_RATE // _RATE)
    sound = samples.astype(np.float64)
    raw, times = pyworld.dio(sound, _RATE, f0_floor=50.0, f0_ceil=550.0, frame_period=10.0, speed=4)
    return pyworld.stonemask(sound, raw, times, _RATE)


def spectrogram_png(samples: np.ndarray) -> bytes:
    """A spectrogram in mel bands, dark where it is loud: a PNG with 16 greys.

    Args:
        samples: ``[samples]`` at 16 kHz.
    """
    power = power_spectrogram(samples, _WINDOW, _HOP * max(1, len(samples) // (_HOP * 500)))
    mel = np.linspace(0, _mel(TOP_HZ), _ROWS + 2)
    hz = 700 * (10 ** (mel / 2595) - 1)
    bins = np.arange(power.shape[0]) * _RATE / _WINDOW
    rise = (bins - hz[:-2, None]) / (hz[1:-1] - hz[:-2])[:, None]
    fall = (hz[2:, None] - bins) / (hz[2:] - hz[1:-1])[:, None]
    bands = np.maximum(0.0, np.minimum(rise, fall))
    narrow = bands.sum(axis=1) == 0  # narrower than a bin: takes the nearest one
    nearest = np.abs(bins - hz[1:-1, None]).argmin(axis=1)
    bands[narrow, nearest[narrow]] = 1.0
    level = 10 * np.log10(bands @ power / bands.sum(axis=1, keepdims=True) + 1e-9)
    share = np.clip((level - level.max()) / _RANGE_DB + 1, 0, 1)
    return _grey_png(_GREYS - np.rint(share[::-1] * _GREYS).astype(np.uint8))


def _mel(hz: float) -> float:
    return 2595 * np.log10(1 + hz / 700)


def _grey_png(levels: np.ndarray) -> bytes:
    """A PNG of 4 bits a pixel: uint8 0 (black) to 15 (white) ``[rows, columns]``.

    Greyscale of bit depth 4, filter 0 in each line: W3C, "Portable Network Graphics", section 11.
    """
    height, width = levels.shape
    even = np.pad(levels, ((0, 0), (0, width % 2)))
    packed = (even[:, ::2] << 4) | even[:, 1::2]
    lines = np.concatenate([np.zeros((height, 1), np.uint8), packed], axis=1)
    head = struct.pack(">IIBBBBB", width, height, 4, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    chunks = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + chunks
