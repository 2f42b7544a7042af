"""The clock of a device, filtered from the jittering times of its callbacks.

F. Adriaensen, "Using a DLL to filter time", Linux Audio Conference 2005: a second-order
delay-locked loop (DLL) follows the callback times. Its predictions are smooth, and its rate is the
true rate of the device relative to the computer's clock. Here callbacks may differ in length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

_KEPT = 4096
"""Callbacks that are kept until the engine reads them: 20 s of 5 ms."""
_FIRST_BANDWIDTH = 0.5
_LAST_BANDWIDTH = 0.02
"""Bandwidth of the DLL in Hz: wide at first, to settle, then narrow, to filter jitter."""
_OUTLIER = 0.025
"""Seconds of error from which on a callback is an outlier, which the DLL does not follow."""
_SETTLED = 0.5
"""Seconds after which the clock is known."""
_STARTING = 5.0
"""Seconds after which a device has started: then outliers are no longer part of the start."""
_MEASURES = 1.0
"""Seconds after which jitter is measured."""
_LASTING = 0.3
"""Seconds of outliers after which frames were lost, and the clock is set anew."""
_NARROWS = 0.15
"""Part by which the bandwidth shrinks in each second."""


class CallbackTimes:
    """Times of callbacks, from the callback to the engine: no lock, no allocation."""

    def __init__(self) -> None:
        self._ring = np.zeros((_KEPT, 2))
        self._head = 0
        self._tail = 0

    def add(self, when: float, frames: int) -> None:
        """Adds a callback at ``when`` (seconds), when ``frames`` had passed in all."""
        row = self._ring[self._head % _KEPT]
        row[0] = when
        row[1] = frames
        self._head += 1

    def take(self) -> Iterator[tuple[float, int]]:
        """Yields the callbacks since the previous call, oldest first: time and frames."""
        head = self._head
        self._tail = max(self._tail, head - _KEPT + 1)
        while self._tail < head:
            when, frames = self._ring[self._tail % _KEPT]
            self._tail += 1
            yield float(when), int(frames)

    def clear(self) -> None:
        """Discards all callbacks."""
        self._tail = self._head


class DeviceClock:
    """Frames that have passed a device, as a smooth function of time.

    Args:
        rate: the nominal rate in Hz.

    Attributes:
        seconds: how long it has followed the device.
        newest: time and frames of the newest callback.
        late: the most seconds by which a callback came later than predicted.
        early: the most seconds by which a callback came earlier than predicted.
    """

    def __init__(self, rate: float) -> None:
        self.nominal = rate
        self.seconds = 0.0
        self.newest = (-math.inf, 0)
        self.late = self.early = 0.0
        self._outliers_s = 0.0
        self._since = 0.0
        self._period = 1.0 / rate
        self._time: float | None = None
        self._frames = 0

    def update(self, callback_times: CallbackTimes) -> None:
        """Follows the callbacks since the previous call."""
        for when, frames in callback_times.take():
            self._follow(when, frames)

    def restart(self) -> None:
        """Starts again with the rate found so far: frames were lost, or the device was away."""
        self._time = None
        self.seconds = 0.0
        self.newest = (-math.inf, 0)

    def resync(self) -> None:
        """Sets the clock to the newest callback, as if that had come in time."""
        self._time, self._frames = self.newest
        self._outliers_s = 0.0

    @property
    def ready(self) -> bool:
        """Whether the clock has followed a callback yet."""
        return self._time is not None

    @property
    def rate(self) -> float:
        """The measured rate in Hz."""
        return 1.0 / self._period

    def frames_at(self, when: float) -> float:
        """Number of frames that have passed at a time (seconds), in the past or in the future."""
        assert self._time is not None
        return self._frames + (when - self._time) / self._period

    def time_of(self, frames: float) -> float:
        """Time in seconds at which so many frames have passed, in the past or in the future."""
        assert self._time is not None
        return self._time + (frames - self._frames) * self._period

    def _follow(self, when: float, frames: int) -> None:
        self.newest = (when, frames)
        if self._time is None:
            self._time, self._frames, self._outliers_s = when, frames, 0.0
            self._since = when
            return
        count = frames - self._frames
        if count <= 0:
            return
        span = count * self._period
        error = when - (self._time + span)
        if abs(error) > _OUTLIER:
            self._handle_outlier(when, frames, span)
            return
        self._outliers_s = 0.0
        wide = _FIRST_BANDWIDTH * math.exp(-_NARROWS * self.seconds)
        omega = 2 * math.pi * max(_LAST_BANDWIDTH, wide) * min(span, 0.5)
        if self.seconds > _MEASURES:
            self.late, self.early = max(self.late, error), max(self.early, -error)
        self._time += span + math.sqrt(2) * omega * error
        self._period += omega * omega * error / count
        self._frames = frames
        self.seconds += span

    def _handle_outlier(self, when: float, frames: int, span: float) -> None:
        """Ignores an outlier; if outliers last, frames were lost, and the clock is set anew.

        Before the clock has settled, the device is still starting.
        """
        if self.seconds < _SETTLED and when - self._since < _STARTING:
            self._time, self._frames, self.seconds = when, frames, 0.0
            self.late = self.early = 0.0
            return
        if not self._outliers_s:
            self._outliers_s = span
        if span - self._outliers_s > _LASTING:
            self._time, self._frames, self._outliers_s = when, frames, 0.0
