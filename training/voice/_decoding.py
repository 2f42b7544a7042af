"""Decodes a recording to one channel at 24 kHz, and keeps the peaks of the original.

Resampling and mixing hide clipping, so it is detected by the peaks at the file's own rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr

from voicegraph.graph.files.sound.reader import AudioReader

from .workdir import RATE

PEAKS_HZ = 50
"""Peaks a second: one for each 20 ms."""
_OPPOSED = 0.25
"""If the mix has less than this share of the loudest channel's power, the channels cancel."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A recording.

    Attributes:
        audio: float32 ``[samples]`` at 24 kHz.
        peaks: the largest magnitude of any channel in each 20 ms, float32 ``[frames]``.
        rate: of the file, in Hz.
        channels: of the file.
        notes: remarks about the file, for people.
    """

    audio: np.ndarray
    peaks: np.ndarray
    rate: int
    channels: int
    notes: tuple[str, ...]


def decode(path: Path) -> Decoded:
    """Reads a recording; of a damaged file, the readable part.

    Channels are averaged; if they cancel each other, the loudest channel is taken.

    Raises:
        InputError: if it is not audio, or empty.
    """
    found, powers = _read(path, None)
    mixed = float(np.square(found.audio, dtype=np.float64).mean()) if len(found.audio) else 0.0
    if mixed < _OPPOSED * powers.max():
        found, _ = _read(path, int(powers.argmax()))
    return replace(found, audio=found.audio - found.audio.mean())


def _read(path: Path, channel: int | None) -> tuple[Decoded, np.ndarray]:
    """One channel of it, or the mean of all; and the power of each channel."""
    with AudioReader(path, salvage=True) as reader:
        rate, channels = int(reader.type.rate), reader.type.channels
        resampler = soxr.ResampleStream(rate, RATE, 1, "float32")
        parts: list[np.ndarray] = []
        peaks, energy = _Peaks(rate), np.zeros(channels)
        for chunk in reader:
            clean = np.nan_to_num(chunk, posinf=0.0, neginf=0.0)
            peaks.add(np.abs(clean).max(0))
            energy += np.square(clean, dtype=np.float64).sum(1)
            one = clean.mean(0) if channel is None else clean[channel]
            parts.append(resampler.resample_chunk(np.ascontiguousarray(one)))
        parts.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        notes, taken = tuple(reader.notes), reader.taken
    audio = np.concatenate(parts)
    return Decoded(audio, peaks.all(), rate, channels, notes), energy / max(taken, 1)


def read_mono(path: Path, rate: int) -> np.ndarray:
    """The mean of a file's channels at the given rate, float32 ``[samples]``."""
    audio, found = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(audio.mean(1), found, rate).astype(np.float32)


class _Peaks:
    """Maximum of each 20 ms of a signal that comes in chunks."""

    def __init__(self, rate: int) -> None:
        self._count = max(rate // PEAKS_HZ, 1)
        self._rest = np.zeros(0, np.float32)
        self._found: list[np.ndarray] = []

    def add(self, samples: np.ndarray) -> None:
        held = np.concatenate((self._rest, samples))
        whole = len(held) // self._count * self._count
        self._found.append(held[:whole].reshape(-1, self._count).max(1))
        self._rest = held[whole:]

    def all(self) -> np.ndarray:
        last = [np.array([self._rest.max()], np.float32)] if len(self._rest) else []
        return np.concatenate([*self._found, *last])
