"""Spectra of input and output of a live session, computed for those who watch.

The engine thread only copies its blocks, and only while somebody watches. Bands, decibels and the
newest F0 are computed by the thread that asks, once for all watchers.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from voicegraph.schemas.control import SPECTRUM_BANDS, SPECTRUM_EVERY_S, SpectrumMessage

_LOWEST_HZ = 50.0
_HIGHEST_HZ = 12_000.0
_FLOOR_DB = -90.0
_WINDOW_S = 0.085
"""Length of the window, rounded to a power of two: low bands are 20 Hz apart."""
_KEPT = 40
"""Newest messages; a watcher that is further behind misses some."""
_MOST_BLOCKS = 256
"""Blocks that may wait: with a watcher that does not ask, the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class _Block:
    """What the engine has processed: input and output ``[C, N]``, F0 in Hz ``[T]``, and when."""

    input: np.ndarray
    output: np.ndarray
    pitch: np.ndarray | None
    when: float


def mel_bands(rate: float, size: int) -> np.ndarray:
    """Triangular filters of equal width on the mel scale: ``[SPECTRUM_BANDS, size // 2 + 1]``.

    Mel as in HTK: ``2595 log10(1 + f / 700)``. They are scaled so that a sine of full scale within
    a band gives 1, from powers of a Hann window's spectrum.

    Args:
        rate: in Hz.
        size: of the Fourier transform.
    """
    lowest, highest = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, SPECTRUM_BANDS + 2) / 2595) - 1)
    bins = np.arange(size // 2 + 1) * rate / size
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    filters = np.maximum(0.0, np.minimum(rising, falling))
    # A band narrower than a bin takes the nearest one.
    nearest = np.clip(np.round(edges[1:-1] * size / rate).astype(int), 0, size // 2)
    inside = edges[1:-1] < rate / 2
    rows = np.arange(SPECTRUM_BANDS)
    filters[rows, nearest] = np.maximum(filters[rows, nearest], 1.0)
    filters[~inside] = 0.0
    # A sine has a power of (size / 4)^2 in its bin and a quarter of that in each neighbour.
    return (filters / (size / 4) ** 2).astype(np.float32)


class _Band:
    """The newest samples of one direction, and their spectrum."""

    def __init__(self, rate: float) -> None:
        self._size = 1 << round(np.log2(_WINDOW_S * rate))
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._filters = mel_bands(rate, self._size)
        self._newest = np.zeros(self._size, np.float32)

    def clear(self) -> None:
        """Forgets all samples."""
        self._newest[:] = 0

    def add(self, block: np.ndarray) -> None:
        """Takes samples ``[C, N]``, mixed to one channel."""
        mixed = block.mean(0) if len(block) > 1 else block[0]
        count = min(len(mixed), self._size)
        if not count:
            return
        self._newest[:-count] = self._newest[count:]
        self._newest[-count:] = mixed[-count:]

    def levels(self) -> list[int]:
        """The level of each band, 0..255 for -90..0 dB relative to a sine of full scale."""
        spectrum = np.fft.rfft(self._newest * self._window)
        power = self._filters @ (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        decibels = 10 * np.log10(np.maximum(power, 1e-12))
        return np.clip(255 * (1 - decibels / _FLOOR_DB), 0, 255).astype(int).tolist()


class SpectrumFeed:
    """Makes spectra of what a session processes.

    Args:
        input_hz: sample rate of the input.
        output_hz: sample rate of the output.
        begun: when the session began (``time.perf_counter``).

    Attributes:
        wanted: whether somebody watches.
    """

    def __init__(self, input_hz: float, output_hz: float, begun: float | None = None) -> None:
        self.wanted = False
        self.begun = time.perf_counter() if begun is None else begun
        self._rate = input_hz
        self._ends = _Band(input_hz), _Band(output_hz)
        self._blocks: deque[_Block] = deque(maxlen=_MOST_BLOCKS)
        self._made: deque[SpectrumMessage] = deque(maxlen=_KEPT)
        self._number = 0
        self._since = 0.0  # input samples since the newest message
        self._pitch: list[float | None] = []
        self._watchers = 0
        self._turn = threading.Lock()

    def put(self, taken: np.ndarray, made: np.ndarray, pitch: np.ndarray | None) -> None:
        """Takes a block; called by the engine while ``wanted`` is set.

        Args:
            taken: the input, ``[C, N]``; not kept.
            made: the output, ``[C, N]``; not kept.
            pitch: the newest F0 in Hz ``[T]``, 0 where unvoiced; None if the pipeline has none.
        """
        self._blocks.append(_Block(taken.copy(), made.copy(), pitch, time.perf_counter()))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within it, spectra are made."""
        with self._turn:
            self._watchers += 1
            if self._watchers == 1:
                self._begin()
            self.wanted = True
        try:
            yield
        finally:
            with self._turn:
                self._watchers -= 1
                self.wanted = self._watchers > 0

    @property
    def newest(self) -> int:
        """Number of the newest message; 0 before the first."""
        return self._number

    def after(self, number: int) -> list[SpectrumMessage]:
        """The messages after that of a number, oldest first; those that are due are made now."""
        with self._turn:
            while self._blocks:
                self._take(self._blocks.popleft())
            return [message for message in self._made if message.number > number]

    def _begin(self) -> None:
        self._blocks.clear()
        self._pitch.clear()
        self._since = 0.0
        for end in self._ends:
            end.clear()

    def _take(self, block: _Block) -> None:
        """Adds a block piece by piece, each to the next border between two messages."""
        total, at = block.input.shape[1], 0
        step = SPECTRUM_EVERY_S * self._rate
        if block.pitch is not None:
            self._pitch += [round(float(f0), 1) if f0 > 0 else None for f0 in block.pitch]
        while at < total:
            end = min(total, at + max(1, round(step - self._since)))
            for band, samples in zip(self._ends, (block.input, block.output), strict=True):
                count = samples.shape[1]
                band.add(samples[:, at * count // total : end * count // total])
            self._since += end - at
            at = end
            if self._since >= step - 0.5:
                self._since -= step
                self._emit(block.when - (total - end) / self._rate)

    def _emit(self, when: float) -> None:
        self._number += 1
        source, target = (band.levels() for band in self._ends)
        message = SpectrumMessage(
            number=self._number,
            seconds=round(when - self.begun, 3),
            input=source,
            output=target,
            pitch_hz=self._pitch,
        )
        self._made.append(message)
        self._pitch = []
