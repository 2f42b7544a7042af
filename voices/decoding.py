"""A recording as one channel at 24 kHz, whatever it was, and the peaks that it had before.

Clipping is looked for at the file's own rate and in its own channels: resampling and mixing hide
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from voicegraph.graph.drivers.reading import AudioReader

from .workplace import RATE

PEAKS_HZ = 50
"""Peaks a second: one for each 20 ms."""
_OPPOSED = 0.25
"""Share of the louder channel's power that a mix must keep: less, and the channels cancel."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A recording.

    Attributes:
        audio: float32 ``[samples]`` at 24 kHz.
        peaks: the largest magnitude in each 20 ms, float32 ``[frames]``, of any channel.
        rate: samples a second that it had.
        channels: that it had.
        notes: what a person should know of the file.
    """

    audio: np.ndarray
    peaks: np.ndarray
    rate: int
    channels: int
    notes: tuple[str, ...]


def decode(path: Path) -> Decoded:
    """Reads a recording; what a damaged one still holds is taken.

    Raises:
        InputError: if it is no audio, or empty.
    """
    with AudioReader(path, salvage=True) as reader:
        rate, channels = int(reader.type.rate), reader.type.channels
        resampler = soxr.ResampleStream(rate, RATE, channels, "float32")
        parts: list[np.ndarray] = []
        peaks = _Peaks(rate)
        for chunk in reader:
            clean = np.nan_to_num(chunk, posinf=0.0, neginf=0.0)
            peaks.add(np.abs(clean).max(0))
            parts.append(resampler.resample_chunk(np.ascontiguousarray(clean.T)))
        parts.append(resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True))
        notes = tuple(reader.notes)
    audio = np.concatenate([part.reshape(-1, channels) for part in parts])
    return Decoded(_mixed(audio), peaks.all(), rate, channels, notes)


def _mixed(audio: np.ndarray) -> np.ndarray:
    """``[samples, channels]`` -> ``[samples]``: the mean, or the loudest where they cancel."""
    mixed = audio.mean(1)
    powers = (audio.astype(np.float64) ** 2).mean(0)
    if (mixed.astype(np.float64) ** 2).mean() < _OPPOSED * powers.max():
        mixed = audio[:, int(powers.argmax())]
    return np.ascontiguousarray(mixed - mixed.mean())


class _Peaks:
    """The largest of each 20 ms of what comes in chunks."""

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
