"""The loopback probe: measures the latency from input to output, over a cable from output to input.

The probe wraps an audio backend, so the loop of a live session itself is measured. First the test
signal is played past the engine: its return over the cable gives the latency of the devices. Then
the test signal replaces the input of the engine, and the response returns over the same cable: its
delay, counted in samples of the input device, is the whole latency.

An unchanged signal is found by cross-correlation (Knapp and Carter 1976, without weighting). A
synthesised voice is found by cross-correlation with the reference response, which the same pipeline
makes of the same signal offline, or by cross-correlation of envelopes.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
from scipy.signal import correlate

from voicegraph.graph.live.devices.audio_backend import (
    AudioBackend,
    CaptureCallback,
    PlaybackCallback,
)

_LEVEL = 0.4
_BURST_S = 0.6
_FOUND = 0.35
"""Correlation from which on the signal is found."""
_SAME = 0.9
"""Correlation from which on a response equals the reference. A voice with pulses at other times
correlates as well a period or two away: then the envelope is used."""
_SILENT = 1e-6
"""Power of a part, relative to the loudest part, below which the part is silent."""
_ENVELOPE_RATE = 1000
_CHANCE = 0.4
"""Highest correlation of the signal's envelope with that of some seconds of noise."""
_LEAD_S = 0.3
"""Seconds until the signal starts."""
_CALLBACKS = 64
"""Callbacks over which the lead of the input over the output is measured."""


def test_signal(rate: int) -> np.ndarray:
    """Bursts of a vowel-like tone at irregular times: float32 ``[N]``, 0.6 s, at ``rate`` Hz.

    Harmonics of 140 Hz with a falling spectrum, which F0 trackers detect as a vowel. The pitch
    glides a little, so that no two periods are equal.
    """
    at = np.arange(round(_BURST_S * rate)) / rate
    phase = 2 * math.pi * (140 * at + 60 * at**2)
    order = np.arange(1, min(25, int(rate / 2 / 230)))
    tone = (np.sin(phase[:, None] * order) / order).sum(1)
    gates = np.zeros_like(at)
    for start, stop in ((0.02, 0.10), (0.16, 0.20), (0.27, 0.41), (0.45, 0.58)):
        edge = np.clip(np.minimum(at - start, stop - at) / 0.004, 0, 1)
        gates += 0.5 - 0.5 * np.cos(math.pi * edge)
    wave = tone * gates
    return (_LEVEL * wave / np.abs(wave).max()).astype(np.float32)


def find_signal(
    signal: np.ndarray, recording: np.ndarray, rate: int, found: float = _FOUND
) -> tuple[float, float]:
    """Finds ``signal`` ``[N]`` in ``recording`` ``[M]``.

    Correlates the waveforms; if the correlation is below ``found``, the envelopes.

    Returns:
        Start of the signal in samples, and confidence 0..1.
    """
    lag, sure = correlate_at(signal, recording)
    if sure >= found or len(recording) < len(signal):
        return float(lag), sure
    step = max(1, rate // _ENVELOPE_RATE)
    lag, sure = correlate_at(_envelope(signal, step), _envelope(recording, step), either=False)
    return float(lag * step), max(0.0, (sure - _CHANCE) / (1 - _CHANCE))


def _envelope(samples: np.ndarray, step: int) -> np.ndarray:
    count = len(samples) // step * step
    level = np.sqrt((samples[:count].reshape(-1, step).astype(np.float64) ** 2).mean(1))
    smooth = np.convolve(level, np.hanning(15) / np.hanning(15).sum(), "same")
    return smooth - smooth.mean()


def correlate_at(
    signal: np.ndarray, recording: np.ndarray, either: bool = True
) -> tuple[int, float]:
    """Lag in samples of the highest normalised cross-correlation, and that correlation.

    With ``either``, a signal with inverted polarity is found, too.
    """
    if len(recording) < len(signal):
        return 0, 0.0
    product = correlate(recording.astype(np.float64), signal.astype(np.float64), "valid")
    power = np.cumsum(np.concatenate(([0.0], recording.astype(np.float64) ** 2)))
    local = power[len(signal) :] - power[: -len(signal)]
    # In silent parts beside sound, rounding errors would be divided by nearly zero.
    local = np.maximum(local, _SILENT * local.max())
    norm = np.sqrt(local * float(signal.astype(np.float64) @ signal)) + 1e-9
    sure = (np.abs(product) if either else product) / norm
    lag = int(np.argmax(sure))
    return lag, float(sure[lag])


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
        """Why a device is lost; None while both work."""
        return self._card.lost

    def reopen(self) -> bool:
        """False: a measurement does not go on after a device was lost."""
        return False

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
        after: index in ``frames`` at which the inserted signal started.
    """

    frames: np.ndarray
    after: int

    def latency(self, signal: np.ndarray, rate: int) -> tuple[float, float]:
        """Seconds until ``signal`` returned, and confidence 0..1."""
        lag, sure = find_signal(signal, self.frames, rate)
        return (lag - self.after) / rate, sure

    def response_latency(self, response: np.ndarray, rate: int) -> tuple[float, float]:
        """Seconds until the reference ``response`` returned, and confidence 0..1."""
        lag, sure = find_signal(response, self.frames, rate, _SAME)
        return (lag - self.after) / rate, sure
