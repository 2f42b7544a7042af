"""A sound card that exists only in the mind, with clocks that differ and time that flies.

The very loop of a live session runs on it, an hour in seconds: every callback comes at the time at
which it would, and a block is ready when its compute time is over. Nothing depends on how fast this
machine is, unless the compute times are measured ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .engine_loop import EngineLoop

Sound = Callable[[int, int], np.ndarray]
"""Frames ``[N, C]`` that are captured, from ``start`` on, ``count`` of them."""
Cost = Callable[[int], float]
"""Seconds that the block of a tick takes."""
Heard = Callable[[int, np.ndarray], None]
"""Takes what is played: position and frames ``[N, C]``."""


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """One simulated device.

    Attributes:
        rate: nominal rate in Hz.
        period: frames of a callback.
        ppm: how much faster its clock runs than it says.
        jitter_s: callbacks come late by up to this, at random.
        away: spans of time (seconds) in which it is not there: no callback comes.
    """

    rate: int
    period: int
    ppm: float = 0.0
    jitter_s: float = 0.0
    away: tuple[tuple[float, float], ...] = ()

    def time(self, callbacks: int) -> float:
        """When the ``callbacks``-th callback is due."""
        return callbacks * self.period / (self.rate * (1 + 1e-6 * self.ppm))

    def gone(self, when: float) -> bool:
        """Whether the device is away."""
        return any(start <= when < end for start, end in self.away)


class Simulation:
    """Runs a loop in simulated time.

    Args:
        loop: with its two rings.
        capture: the input device.
        play: the output device.
        sound: what is captured.
        cost: how long blocks take; None: as long as they really do.
        heard: takes what is played.
        seed: of the jitter.

    Attributes:
        now: simulated seconds so far.
    """

    def __init__(
        self,
        loop: EngineLoop,
        capture: SimulatedDevice,
        play: SimulatedDevice,
        sound: Sound,
        *,
        cost: Cost | None = None,
        heard: Heard | None = None,
        seed: int = 0,
    ) -> None:
        self.loop = loop
        self.now = 0.0
        self._capture, self._play = capture, play
        self._sound, self._cost, self._heard = sound, cost, heard
        self._random = np.random.default_rng(seed)
        self._captured = self._played = 0
        self._frames = 0
        channels = loop.playback.channels
        self._buffer = np.zeros((play.period, channels), np.float32)
        self._ready: float | None = None  # when the block that runs is done
        self._next_in, self._next_out = self._due(capture, 1), self._due(play, 1)

    def run(self, seconds: float) -> None:
        """Goes on for so many seconds of simulated time."""
        end = self.now + seconds
        while True:
            at = min(self._next_in, self._next_out, self._ready or float("inf"))
            if at >= end:
                self.now = end
                return
            self.now = at
            if at == self._ready:
                self.loop.deliver(at)
                self._ready = None
            elif at == self._next_in:
                self._capture_period()
            else:
                self._play_period()
            if self._ready is None and self.loop.take(at):
                self.loop.compute()
                self._ready = at + self._takes()

    def _takes(self) -> float:
        if self._cost is None:
            return self.loop.attribution.total_s
        seconds = self._cost(self.loop.session.position - 1)
        self.loop.override_cost(seconds)
        return seconds

    def _due(self, end: SimulatedDevice, callbacks: int) -> float:
        late = float(self._random.uniform(0, end.jitter_s)) if end.jitter_s else 0.0
        return end.time(callbacks) + late

    def _capture_period(self) -> None:
        end = self._capture
        if not end.gone(self.now):
            self.loop.capture.callback(self._sound(self._frames, end.period), self.now, False)
        self._frames += end.period
        self._captured += 1
        self._next_in = max(self._due(end, self._captured + 1), self.now)

    def _play_period(self) -> None:
        if not self._play.gone(self.now):
            position = self.loop.playback.demand
            self.loop.playback.callback(self._buffer, self.now, False)
            if self._heard is not None:
                self._heard(position, self._buffer)
        self._played += 1
        self._next_out = max(self._due(self._play, self._played + 1), self.now)
