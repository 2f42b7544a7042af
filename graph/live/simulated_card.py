"""A simulated sound card: two devices with clocks of their own, in simulated time.

The loop of a live session runs on it, an hour in seconds. Every callback comes at its simulated
time, and a block is ready when its compute time has passed. The result does not depend on the speed
of the machine, unless compute times are measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .engine_loop import EngineLoop

CaptureSource = Callable[[int, int], np.ndarray]
"""Returns captured frames ``[N, C]``: ``count`` of them from frame ``start`` on."""
ComputeTime = Callable[[int], float]
"""Compute time in seconds of the block of a tick."""
PlaybackSink = Callable[[int, np.ndarray], None]
"""Takes played frames ``[N, C]`` and their position."""


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """One simulated device.

    Attributes:
        rate: nominal rate in Hz.
        period: frames of a callback.
        ppm: deviation of its clock from the nominal rate, in parts per million.
        jitter_s: callbacks come late by up to so many seconds, at random.
        away: spans of time (seconds) without callbacks.
    """

    rate: int
    period: int
    ppm: float = 0.0
    jitter_s: float = 0.0
    away: tuple[tuple[float, float], ...] = ()

    def time(self, callbacks: int) -> float:
        """When the ``callbacks``-th callback is due, in seconds."""
        return callbacks * self.period / (self.rate * (1 + 1e-6 * self.ppm))

    def gone(self, when: float) -> bool:
        """Whether the device is away."""
        return any(start <= when < end for start, end in self.away)


class Simulation:
    """Runs a loop in simulated time.

    Args:
        loop: the loop, with its two ring buffers.
        capture: the input device.
        play: the output device.
        sound: returns what the input device captures.
        cost: compute time of blocks; None: as measured.
        played: takes what the output device plays.
        seed: of the jitter.

    Attributes:
        now: simulated seconds so far.
    """

    def __init__(
        self,
        loop: EngineLoop,
        capture: SimulatedDevice,
        play: SimulatedDevice,
        sound: CaptureSource,
        *,
        cost: ComputeTime | None = None,
        played: PlaybackSink | None = None,
        seed: int = 0,
    ) -> None:
        self.loop = loop
        self.now = 0.0
        self._capture, self._play = capture, play
        self._sound, self._cost, self._sink = sound, cost, played
        self._random = np.random.default_rng(seed)
        self._captured = self._played = 0
        self._frames = 0
        channels = loop.playback.channels
        self._buffer = np.zeros((play.period, channels), np.float32)
        self._ready: float | None = None  # when the block that is being computed is complete
        self._next_in, self._next_out = self._due(capture, 1), self._due(play, 1)

    def run(self, seconds: float) -> None:
        """Runs for so many seconds of simulated time."""
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
            if self._ready is None and self.loop.take_block():
                self.loop.compute()
                self._ready = at + self._compute_time()

    def _compute_time(self) -> float:
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
            if self._sink is not None:
                self._sink(position, self._buffer)
        self._played += 1
        self._next_out = max(self._due(self._play, self._played + 1), self.now)
