"""The values of a port over a whole sound, each with its time in the input."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from ..ports import PortSpec

EPSILON_S = 1e-7
"""Times that differ less are equal; they are exact but for rounding."""


@dataclass(frozen=True, slots=True)
class PortSeries:
    """A signal in time.

    Attributes:
        times: seconds from the first sample of the input, float64 ``[T]``, ascending.
        values: float32 ``[T, W]``: channels, dimensions, or 1.
    """

    times: np.ndarray
    values: np.ndarray

    def between(self, end: float) -> PortSeries:
        """The part from second 0 to ``end``."""
        inside = (self.times > -EPSILON_S) & (self.times < end - EPSILON_S)
        return PortSeries(self.times[inside], self.values[inside])


class PortRecorder:
    """Collects the values of a port, block by block, for one stream.

    A stream port gives every value once. A window port estimates its whole interval anew at each
    tick; taken is the newest block of what its readers use (of the core of its interval), so that
    every moment is taken once here, too.

    Args:
        spec: type and interval of the port.
        block: the step of the pipeline in seconds.
    """

    def __init__(self, spec: PortSpec, block: Fraction) -> None:
        self._spec, self._block = spec, block
        start = spec.interval.start
        self._first, self._stop = 0, spec.count
        if spec.window:
            core = spec.core
            self._first = max(0, spec.index(max(start, core.end - block)))
            self._stop = min(spec.count, max(spec.index(core.end), self._first + 1))
            start += self._first / spec.rate
        self._start = start
        self._ticks: list[np.ndarray] = []

    @property
    def lag(self) -> Fraction:
        """Seconds by which the newest value is behind the newest input sample."""
        return -(self._start + (self._stop - self._first) / self._spec.rate)

    def clear(self) -> None:
        """Begins a new clip."""
        self._ticks.clear()

    def add(self, values: torch.Tensor | np.ndarray) -> None:
        """Takes the values of a tick, ``[1, ...]``, on any device."""
        axis = self._spec.type.time_axis
        part = torch.as_tensor(values).detach().narrow(axis, self._first, self._stop - self._first)
        one = part[0].to("cpu", torch.float32, copy=True).numpy()
        time_first = np.moveaxis(one, axis - 1, 0)
        self._ticks.append(time_first.reshape(len(time_first), -1))

    def series(self) -> PortSeries:
        """Everything since :meth:`clear`."""
        count = self._stop - self._first
        ticks = len(self._ticks)
        starts = np.array([float(self._start + (k + 1) * self._block) for k in range(ticks)])
        times = starts[:, None] + np.arange(count) / float(self._spec.rate)
        return PortSeries(times.ravel(), np.concatenate(self._ticks))


def bytes_per_second(spec: PortSpec) -> float:
    """Memory that the series of a port takes for each second of sound."""
    width = spec.type.width or 1
    return float(spec.rate) * (width * 4 + 8)
