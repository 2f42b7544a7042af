"""The loopback probe: measures the latency from input to output, over a cable from output to input.

The probe wraps an audio backend, so the loop of a live session itself is measured. First the test
signal is played past the engine: its return over the cable gives the latency of the devices. Then
the test signal replaces the input of the engine, and the response returns over the same cable: its
delay, counted in samples of the input device, is the whole latency.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from voicegraph.graph.live.devices.audio_backend import (
    AudioBackend,
    CaptureCallback,
    PlaybackCallback,
)
from voicegraph.graph.metrics.cross_correlation import find_signal

_SAME = 0.9
"""Correlation from which on a response equals the reference. A voice with pulses at other times
correlates as well a period or two away: then the envelope is used."""
_LEAD_S = 0.3
"""Seconds until the signal starts."""
_CALLBACKS = 64
"""Callbacks over which the lead of the input over the output is measured."""


@dataclass(slots=True)
class _Take:
    """A recording of the input; the first callback sets the frame ``start`` at which it begins."""

    frames: np.ndarray
    start: int = 0
    count: int = 0


class LoopbackProbe:
    """An audio backend that inserts a test signal at either end, and records the input.

    Args:
        card: the backend to wrap.
    """

    def __init__(self, card: AudioBackend) -> None:
        self._card = card
        self.input, self.output, self.one_clock = card.input, card.output, card.one_clock
        self._captured = self._played = 0
        self._captured_at = 0.0
        self._ratio = self.input.rate / self.output.rate
        # Lead of the input over the output in input frames, at the newest output callbacks.
        self._ahead = np.zeros(_CALLBACKS)
        self._callbacks = 0
        self._engine_input = np.zeros((16384, card.input.channels), np.float32)
        self._failed: str | None = None
        self._take: _Take | None = None
        self._device_signal: tuple[int, np.ndarray] | None = None
        self._engine_signal: tuple[int, np.ndarray] | None = None
        self._capture: CaptureCallback | None = None
        self._play: PlaybackCallback | None = None

    # ---- the audio backend --------------------------------------------------------------------

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        """Starts the callbacks of the wrapped backend."""
        self._capture, self._play = capture, play
        self._card.start(self._on_capture, self._on_play)

    def stop(self) -> None:
        """Stops the wrapped backend."""
        self._card.stop()

    @property
    def lost(self) -> str | None:
        """Why a device is lost, or was during a measurement; None while both work."""
        return self._failed or self._card.lost

    def reopen(self) -> bool:
        """Opens the devices again, unless one was lost while a signal was on its way."""
        if self._take is not None or self._failed is not None:
            return False
        self._callbacks = 0  # the lead of the input may be another one now
        return self._card.reopen()

    def _on_capture(self, frames: np.ndarray, when: float, lost: bool) -> None:
        """Records the input; the engine gets silence, or the inserted signal."""
        at, count = self._captured, len(frames)
        take = self._take
        if take is not None and take.count < len(take.frames):
            if not take.count:
                take.start = at
            part = min(count, len(take.frames) - take.count)
            take.frames[take.count : take.count + part] = frames[:part, 0]
            take.count += part
        engine_input = self._engine_input[:count]
        engine_input[:] = 0
        _add_signal(engine_input, at, self._engine_signal)
        self._captured = at + count
        self._captured_at = when
        assert self._capture is not None
        self._capture(engine_input, when, lost)

    def _on_play(self, into: np.ndarray, when: float, starved: bool) -> None:
        assert self._play is not None
        self._play(into, when, starved)
        if self._device_signal is not None:
            into[:] = 0  # the output of the engine would disturb the measurement
        _add_signal(into, self._played, self._device_signal)
        self._played += len(into)
        elapsed = (when - self._captured_at) * self.input.rate  # 0 where one callback does both
        ahead = self._captured + elapsed - self._played * self._ratio
        self._ahead[self._callbacks % _CALLBACKS] = ahead
        self._callbacks += 1

    # ---- measuring ----------------------------------------------------------------------------

    def through_devices(self, signal: np.ndarray, seconds: float) -> LoopbackRecording:
        """Plays ``signal`` ``[N]``, at the rate of the output, past the engine, and records."""
        start = self._played + round(_LEAD_S * self.output.rate)
        # The devices run on between two callbacks. The median, because some callbacks come late.
        ahead = float(np.median(self._ahead[: max(1, min(self._callbacks, _CALLBACKS))]))
        place = round(start * self._ratio + ahead)
        return self._record(seconds, place, device_signal=(start, signal))

    def through_engine(
        self, signal: np.ndarray, seconds: float, block: int = 1
    ) -> LoopbackRecording:
        """Puts ``signal`` ``[N]``, at the rate of the input, into the engine, and records.

        The signal begins at the start of a block of ``block`` samples, counted from the first
        captured sample.
        """
        soon = self._captured + round(_LEAD_S * self.input.rate)
        place = -(-soon // block) * block
        return self._record(seconds, place, engine_signal=(place, signal))

    def _record(
        self,
        seconds: float,
        place: int,
        device_signal: tuple[int, np.ndarray] | None = None,
        engine_signal: tuple[int, np.ndarray] | None = None,
    ) -> LoopbackRecording:
        take = _Take(np.zeros(round(seconds * self.input.rate), np.float32))
        self._device_signal, self._engine_signal, self._take = device_signal, engine_signal, take
        deadline = time.monotonic() + seconds + 3
        while take.count < len(take.frames) and self.lost is None and time.monotonic() < deadline:
            time.sleep(0.02)
        self._failed = self.lost
        self._device_signal = self._engine_signal = self._take = None
        return LoopbackRecording(take.frames[: take.count], place - take.start)


def _add_signal(into: np.ndarray, at: int, signal: tuple[int, np.ndarray] | None) -> None:
    """Adds the part of a signal that falls into ``into`` ``[N, C]``, which begins at ``at``."""
    if signal is None:
        return
    start, samples = signal
    low, high = max(at, start), min(at + len(into), start + len(samples))
    if low < high:
        into[low - at : high - at] += samples[low - start : high - start, None]


@dataclass(frozen=True, slots=True)
class LoopbackRecording:
    """A recording of the input with the start of the inserted signal.

    Attributes:
        frames: the first channel of the input, ``[N]``.
        start: index in ``frames`` at which the inserted signal started.
    """

    frames: np.ndarray
    start: int

    def latency(self, signal: np.ndarray, rate: int) -> tuple[float, float]:
        """Seconds until ``signal`` returned, and confidence 0..1."""
        lag, sure = find_signal(signal, self.frames, rate)
        return (lag - self.start) / rate, sure

    def response_latency(self, response: np.ndarray, rate: int) -> tuple[float, float]:
        """Seconds until the reference ``response`` returned, and confidence 0..1."""
        lag, sure = find_signal(response, self.frames, rate, _SAME)
        return (lag - self.start) / rate, sure
