"""``dsp.sola``: aligns each window with the one before, and crossfades."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .ports import NodeSpec

_STEPS_PER_SECOND = 100
_MAX_BUFFER_STEPS = 4
_ENERGY_FLOOR = 1e-8
_TIE = 1e-7


class Sola:
    """The node on one stream."""

    def __init__(self, spec: NodeSpec) -> None:
        given = spec.given["audio"]
        step = int(given.rate) // _STEPS_PER_SECOND
        crossfade = round(spec.seconds("crossfade") * _STEPS_PER_SECOND)
        self._buffer = min(crossfade, _MAX_BUFFER_STEPS) * step
        self._search = round(spec.seconds("search") * _STEPS_PER_SECOND) * step
        self._block, self._start = spec.asked["out"].count, given.index(given.core.start)
        self._fade_in = np.sin(0.5 * np.pi * np.linspace(0, 1, self._buffer)).astype(np.float32)
        self._fade_in **= 2
        self._tail = np.zeros(given.type.shape(1, self._buffer), np.float32)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One window to one block, ``[1, channels, samples]``."""
        window = inputs["audio"][:, :, self._start :]
        offset = best_offset(window[0, :, : self._buffer + self._search], self._tail[0])
        cut = window[:, :, offset : offset + self._block + self._buffer].copy()
        head = cut[:, :, : self._buffer]
        head[...] = head * self._fade_in + self._tail * (1 - self._fade_in)
        self._tail = cut[:, :, self._block :]
        return {
            "out": cut[:, :, : self._block],
            "offset": np.full((1, 1, 1), offset, np.float32),
        }


def best_offset(head: np.ndarray, tail: np.ndarray) -> int:
    """The first offset with the highest normalised correlation; both ``[channels, samples]``."""
    size, buffer = head.shape[1], tail.shape[1]
    wide = head.astype(np.float64)
    spectrum = np.fft.rfft(wide) * np.fft.rfft(tail.astype(np.float64), size).conj()
    match = np.fft.irfft(spectrum.sum(0), size)[: size - buffer + 1]
    total = np.cumsum(np.square(wide).sum(0))
    energy = total[buffer - 1 :].copy()
    energy[1:] -= total[: size - buffer]
    norm = np.sqrt(np.maximum(energy, 0) + _ENERGY_FLOOR)
    score = np.where(energy > 0, match, 0.0) / norm
    best = score.max()
    return int(np.argmax(score >= best - _TIE * abs(best)))
