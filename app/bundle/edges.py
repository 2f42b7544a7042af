"""What readers of a port get: all of a window, a part of it, or a stream with its past."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from voicegraph.graph.ports import PortSpec

Values = dict[tuple[str, str], np.ndarray]
"""What each input gets: by node and port."""


@dataclass(frozen=True, slots=True)
class Reader:
    """An input that reads a port.

    Attributes:
        place: node and port of the input.
        given: what it gets.
        feedback: whether it runs before the port's node, and reads values of the tick before.
    """

    place: tuple[str, str]
    given: PortSpec
    feedback: bool


class Edge:
    """Delivers the values of a port to its readers.

    A window is computed anew at each tick, so its readers take parts of it. A stream gives each
    value once: what readers want of its past is kept, zeros before the first block.

    Args:
        spec: of the port.
        readers: of its values.
        block: seconds of a block.
    """

    def __init__(self, spec: PortSpec, readers: Sequence[Reader], block: Fraction) -> None:
        self.axis = spec.type.time_axis
        self.parts: list[tuple[tuple[str, str], int, int]] = []
        self.kept: np.ndarray | None = None
        if spec.window:
            for reader in readers:
                start = spec.index(reader.given.interval.start)
                self.parts.append((reader.place, start, reader.given.count))
            return
        # A reader that closes a loop runs before the port's node: what it finds is a block older.
        ends = [spec.interval.end - (block if reader.feedback else 0) for reader in readers]
        spans = zip(ends, readers, strict=True)
        reach = max((end - reader.given.interval.start for end, reader in spans), default=0)
        length = max(math.ceil(reach * spec.rate), spec.count)
        for end, reader in zip(ends, readers, strict=True):
            back = int((end - reader.given.interval.start) * spec.rate)
            self.parts.append((reader.place, length - back, reader.given.count))
        self.kept = np.zeros(spec.type.shape(1, length), np.float32)

    def show(self, values: Values) -> None:
        """Puts into the table what readers find before the first block of a stream."""
        if self.kept is not None:
            self._deliver(values, self.kept)

    def __call__(self, values: Values, made: np.ndarray) -> None:
        """Puts the newest values, and those before them, into the table."""
        if self.kept is not None:
            length = self.kept.shape[self.axis]
            joined = np.concatenate((self.kept, made), self.axis)
            made = self.kept = _part(joined, self.axis, joined.shape[self.axis] - length, length)
        self._deliver(values, made)

    def _deliver(self, values: Values, made: np.ndarray) -> None:
        for place, start, count in self.parts:
            values[place] = _part(made, self.axis, start, count)


def _part(values: np.ndarray, axis: int, start: int, count: int) -> np.ndarray:
    return values[(slice(None),) * axis + (slice(start, start + count),)]
