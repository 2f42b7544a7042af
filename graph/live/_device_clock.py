"""When frames pass a device: callback times, which jitter, made into a clock, which does not.

F. Adriaensen, "Using a DLL to filter time", Linux Audio Conference 2005: a second-order
delay-locked loop follows the callbacks' times; what it predicts is smooth, and its rate is the
device's true one in terms of the computer's clock. Here the callbacks may differ in length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

_KEPT = 4096
"""Callbacks that may go by before the engine looks: 20 s of 5 ms."""
_FIRST_BANDWIDTH = 0.5
_LAST_BANDWIDTH = 0.02
"""Hz. The loop begins wide, to settle, and narrows, to be quiet."""
_STRANGE = 0.025
_SETTLED = 0.5
_STARTING = 5.0
_MEASURES = 1.0
_LASTING = 0.3
"""Seconds. Callbacks that are off by more, once the clock is known, are not followed; but if that
lasts, frames were lost, and the count is set right. A device that comes at strange times for longer
than it takes to start is one that always does."""
_NARROWS = 0.15
"""Each second of time seen makes the loop narrower by this part."""


class CallbackTimes:
    """Times of callbacks: one side adds, the other takes. No lock, no allocation."""

    def __init__(self) -> None:
        self._ring = np.zeros((_KEPT, 2))
        self._head = 0
        self._tail = 0

    def add(self, when: float, frames: int) -> None:
        """Notes that ``frames`` had passed in all at ``when`` (seconds)."""
        row = self._ring[self._head % _KEPT]
        row[0] = when
        row[1] = frames
        self._head += 1

    def take(self) -> Iterator[tuple[float, int]]:
        """All that were added since, oldest first."""
        head = self._head
        self._tail = max(self._tail, head - _KEPT + 1)
        while self._tail < head:
            when, frames = self._ring[self._tail % _KEPT]
            self._tail += 1
            yield float(when), int(frames)

    def clear(self) -> None:
        """Forgets what was added."""
        self._tail = self._head


class DeviceClock:
    """Frames that have passed a device, as a smooth function of time.

    Args:
        rate: the nominal rate in Hz.

    Attributes:
        seconds: how long it has followed the device.
        newest: time and frames of the newest callback.
        late: by how many seconds a callback came later than its clock says, at most.
        early: the same for earlier.
    """

    def __init__(self, rate: float) -> None:
        self.nominal = rate
        self.seconds = 0.0
        self.newest = (-math.inf, 0)
        self.late = self.early = 0.0
        self._strange = 0.0
        self._since = 0.0
        self._period = 1.0 / rate
        self._time: float | None = None
        self._frames = 0

    def follow(self, callback_times: CallbackTimes) -> None:
        """Takes in what the callbacks have noted."""
        for when, frames in callback_times.take():
            self._update(when, frames)

    def restart(self) -> None:
        """Begins anew, with the rate found so far: frames were lost, or the device was away."""
        self._time = None
        self.seconds = 0.0
        self.newest = (-math.inf, 0)

    def anchor(self) -> None:
        """Takes the newest callback to have come at the right time."""
        self._time, self._frames = self.newest
        self._strange = 0.0

    @property
    def ready(self) -> bool:
        """Whether anything is known."""
        return self._time is not None

    @property
    def rate(self) -> float:
        """Frames a second as they really pass."""
        return 1.0 / self._period

    def frames_at(self, when: float) -> float:
        """How many frames will have passed, or had, at a time."""
        assert self._time is not None
        return self._frames + (when - self._time) / self._period

    def time_of(self, frames: float) -> float:
        """When so many frames will have passed, or had."""
        assert self._time is not None
        return self._time + (frames - self._frames) * self._period

    def _update(self, when: float, frames: int) -> None:
        self.newest = (when, frames)
        if self._time is None:
            self._time, self._frames, self._strange = when, frames, 0.0
            self._since = when
            return
        count = frames - self._frames
        if count <= 0:
            return
        span = count * self._period
        error = when - (self._time + span)
        if abs(error) > _STRANGE:
            self._doubt(when, frames, span)
            return
        self._strange = 0.0
        wide = _FIRST_BANDWIDTH * math.exp(-_NARROWS * self.seconds)
        omega = 2 * math.pi * max(_LAST_BANDWIDTH, wide) * min(span, 0.5)
        if self.seconds > _MEASURES:
            self.late, self.early = max(self.late, error), max(self.early, -error)
        self._time += span + math.sqrt(2) * omega * error
        self._period += omega * omega * error / count
        self._frames = frames
        self.seconds += span

    def _doubt(self, when: float, frames: int, span: float) -> None:
        """A callback at a strange time: late itself, or, if it stays so, frames were lost.

        Before anything is settled it is the device that is still starting.
        """
        if self.seconds < _SETTLED and when - self._since < _STARTING:
            self._time, self._frames, self.seconds = when, frames, 0.0
            self.late = self.early = 0.0
            return
        if not self._strange:
            self._strange = span
        if span - self._strange > _LASTING:
            self._time, self._frames, self._strange = when, frames, 0.0
