"""Sounds and their pictures, small enough to stand in the page."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pyworld
import soundfile
import soxr

from voicegraph.graph.errors import OutputError
from voicegraph.graph.files.atomic_write import write_text
from voicegraph.graph.machine import cores
from voicegraph.graph.metrics.spectral_distance import power_spectrogram

MOST_BYTES = 18_000_000
"""Of all sounds and pictures in base64, so that the page stays below 25 MB."""
F0_RATE = 100
"""Frames of F0 a second."""
TOP_HZ = 8000
"""Highest frequency of the pictures."""

_VERSION = 1
"""Counted up when :func:`describe` gives something else for a sound."""
_KEYS = {"audio", "type", "seconds", "picture", "f0"}
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


@dataclass(slots=True)
class Media:
    """The sounds of a page, each once, with spectrogram and F0.

    Args:
        read: a sound by its key; raises KeyError if it is not there.
        format: how sounds are encoded.
        cache: folder in which encoded sounds are kept for the next page; None keeps none.

    Attributes:
        items: what the page's script reads, by name.
        missing: keys that could not be read.
        left_out: how many sounds the limit on size has kept out.
    """

    read: Callable[[str], tuple[np.ndarray, int]]
    format: Literal["opus", "mp3", "flac"] = "opus"
    cache: Path | None = None
    items: dict[str, Any] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    left_out: int = 0
    _names: dict[str, str] = field(default_factory=dict)
    _bytes: int = 0
    _waiting: deque[str] = field(default_factory=deque)
    _ahead: dict[str, Future[dict[str, Any] | None]] = field(default_factory=dict)
    _pool: ThreadPoolExecutor | None = None

    @contextmanager
    def encoding_ahead(self, keys: Sequence[str]) -> Iterator[None]:
        """In this block, sounds are encoded on all cores, a few ahead of those that are added.

        Codecs, resampling and F0 let other threads run meanwhile.

        Args:
            keys: in the order in which they will be added.
        """
        from threadpoolctl import threadpool_limits

        threads = cores()
        self._waiting.extend(dict.fromkeys(key for key in keys if key))
        # The products of a picture are small: threads of their own would only wait for each other.
        limit = threadpool_limits(1, "blas")
        with limit, ThreadPoolExecutor(threads, "encodes") as self._pool:
            try:
                self._encode_more(2 * threads)
                yield
            finally:
                self._waiting.clear()
                self._pool.shutdown(cancel_futures=True)
        self._ahead.clear()
        self._pool = None

    def _encode_more(self, count: int) -> None:
        for _ in range(min(count, len(self._waiting))):
            assert self._pool is not None
            key = self._waiting.popleft()
            self._ahead[key] = self._pool.submit(self._item, key)

    def add(self, key: str) -> str | None:
        """The name of a sound in the page; None if it is missing, or there is no room for it."""
        if key in self._names or not key:
            return self._names.get(key)
        if key in self.missing:
            return None
        if self._bytes >= MOST_BYTES:
            self.left_out += 1
            return None
        if (item := self._encoded_item(key)) is None:
            self.missing.add(key)
            return None
        self._bytes += len(item["audio"]) + len(item["picture"])
        name = f"s{len(self.items)}"
        self.items[name] = item
        self._names[key] = name
        return name

    def _encoded_item(self, key: str) -> dict[str, Any] | None:
        """What another thread has made, or else made here."""
        if (future := self._ahead.pop(key, None)) is None:
            return self._item(key)
        self._encode_more(1)
        return future.result()

    def _item(self, key: str) -> dict[str, Any] | None:
        """From the cache, or made of the sound; None if that is not there."""
        name = hashlib.sha256(f"{_VERSION} {self.format} {key}".encode()).hexdigest()
        path = None if self.cache is None else self.cache / f"{name}.json"
        if path is not None:
            with suppress(OSError, ValueError):
                found = json.loads(path.read_text(encoding="utf-8"))
                if found.keys() == _KEYS:
                    return found
        try:
            audio, rate = self.read(key)
        except KeyError:
            return None
        item = describe(audio, rate, self.format)
        if path is not None:
            with suppress(OutputError):  # a run on a read-only disk has a page, too
                write_text(path, json.dumps(item), force=True)
        return item


@dataclass(slots=True)
class WantedSounds:
    """Takes the place of :class:`Media` to learn which sounds a page wants, and in which order."""

    keys: list[str] = field(default_factory=list)

    def add(self, key: str) -> str:
        """Notes a sound."""
        self.keys.append(key)
        return key


class Sounds(Protocol):
    """Gives sounds names in a page."""

    def add(self, key: str) -> str | None:
        """The name of a sound; None if it cannot be heard."""
        ...


def describe(audio: np.ndarray, rate: int, format: str) -> dict[str, Any]:  # noqa: A002
    """A sound as the page's script takes it: encoded audio, spectrogram and F0."""
    container, subtype, mime = _FORMATS[format]
    low = soxr.resample(audio.astype(np.float32), rate, _RATE)
    return {
        "audio": base64.b64encode(_encoded(audio, rate, container, subtype)).decode(),
        "type": mime,
        "seconds": round(len(audio) / rate, 4),
        "picture": "data:image/png;base64," + base64.b64encode(spectrogram_png(low)).decode(),
        "f0": [round(float(hz)) for hz in f0_contour(low)],
    }


def _encoded(audio: np.ndarray, rate: int, container: str, subtype: str) -> bytes:
    """The file's bytes. Peaks above full scale are clipped, as a sound card clips them."""
    wanted = rate if subtype == "PCM_16" else _CODED_RATE
    samples = np.clip(soxr.resample(audio.astype(np.float32), rate, wanted), -1.0, 1.0)
    file = io.BytesIO()
    soundfile.write(file, samples, wanted, format=container, subtype=subtype)
    return file.getvalue()


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
