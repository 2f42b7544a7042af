"""Measures from sound in to sound out, through a cable from the output to the input.

A card is wrapped, so that the very loop of a live session is measured. First the test signal is
played past the engine: what comes back over the cable tells how long the devices take. Then the
engine hears it as if it came from the input, and its answer comes back over the same cable: counted
in samples of the one input, that is the whole latency.

Signals that pass unchanged are found by correlation (Knapp and Carter 1976, without weighting);
voices that are made anew by correlation with what the same pipeline makes of the same signal where
nobody waits for it, or by correlating envelopes.
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
"""Correlation from which on the signal counts as found."""
_SAME = 0.9
"""Correlation from which on an answer is the very same. A voice whose pulses came at other moments
is as like itself a period or two away: then its envelope tells where it is."""
_NOTHING = 1e-6
"""Power of a part, of the loudest part's, below which nothing is in it."""
_ENVELOPE_RATE = 1000
_BY_CHANCE = 0.4
"""Correlation that the envelope of the signal has with that of noise, somewhere in some seconds."""
_SOON_S = 0.3
_CALLBACKS = 64
"""Callbacks that tell how far capturing is ahead of playing."""


def test_signal(rate: int) -> np.ndarray:
    """Bursts of a voice-like tone at irregular times: float32 ``[N]``, 0.6 s.

    Harmonics of 140 Hz under a falling spectrum, which trackers take for a vowel, gliding a little,
    so that no period is like another.
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


def find(
    signal: np.ndarray, recording: np.ndarray, rate: int, found: float = _FOUND
) -> tuple[float, float]:
    """Where ``signal`` begins in ``recording``, in samples, and how sure that is, 0..1.

    By its waveform where that correlates by ``found`` at least, else by its envelope.
    """
    lag, sure = correlate_at(signal, recording)
    if sure >= found or len(recording) < len(signal):
        return float(lag), sure
    step = max(1, rate // _ENVELOPE_RATE)
    lag, sure = correlate_at(_envelope(signal, step), _envelope(recording, step), either=False)
    return float(lag * step), max(0.0, (sure - _BY_CHANCE) / (1 - _BY_CHANCE))


def _envelope(samples: np.ndarray, step: int) -> np.ndarray:
    count = len(samples) // step * step
    level = np.sqrt((samples[:count].reshape(-1, step).astype(np.float64) ** 2).mean(1))
    smooth = np.convolve(level, np.hanning(15) / np.hanning(15).sum(), "same")
    return smooth - smooth.mean()


def correlate_at(
    signal: np.ndarray, recording: np.ndarray, either: bool = True
) -> tuple[int, float]:
    """The lag in samples of the highest normalised correlation, and that correlation.

    With ``either``, a signal that came back with its sign turned over is found, too.
    """
    if len(recording) < len(signal):
        return 0, 0.0
    product = correlate(recording.astype(np.float64), signal.astype(np.float64), "valid")
    power = np.cumsum(np.concatenate(([0.0], recording.astype(np.float64) ** 2)))
    local = power[len(signal) :] - power[: -len(signal)]
    # Where there is silence beside sound, rounding would be divided by next to nothing.
    local = np.maximum(local, _NOTHING * local.max())
    norm = np.sqrt(local * float(signal.astype(np.float64) @ signal)) + 1e-9
    sure = (np.abs(product) if either else product) / norm
    lag = int(np.argmax(sure))
    return lag, float(sure[lag])


@dataclass(slots=True)
class _Take:
    """One recording of the input: from frame ``start`` on, which the first callback says."""

    frames: np.ndarray
    start: int = 0
    count: int = 0


class LoopbackProbe:
    """A card into which a signal can be put at either end, and whose input is recorded.

    Args:
        card: the real one.
    """

    def __init__(self, card: AudioBackend) -> None:
        self._card = card
        self.input, self.output, self.one_clock = card.input, card.output, card.one_clock
        self._captured = self._played = 0
        self._heard_at = 0.0
        self._ratio = self.input.rate / self.output.rate
        # By how much capturing is ahead of playing, at the newest callbacks that play.
        self._ahead = np.zeros(_CALLBACKS)
        self._callbacks = 0
        self._ears = np.zeros((16384, card.input.channels), np.float32)
        self._take: _Take | None = None
        self._spoken: tuple[int, np.ndarray] | None = None
        self._heard: tuple[int, np.ndarray] | None = None
        self._capture: CaptureCallback | None = None
        self._play: PlaybackCallback | None = None

    # ---- the card -----------------------------------------------------------------------------

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        """As the card does."""
        self._capture, self._play = capture, play
        self._card.start(self._on_capture, self._on_play)

    def stop(self) -> None:
        """As the card does."""
        self._card.stop()

    @property
    def lost(self) -> str | None:
        """As the card says."""
        return self._card.lost

    def reopen(self) -> bool:
        """A measurement does not go on after a loss."""
        return False

    def _on_capture(self, frames: np.ndarray, when: float, lost: bool) -> None:
        """Records what comes; the engine hears silence, or what is put in."""
        at, count = self._captured, len(frames)
        take = self._take
        if take is not None and take.count < len(take.frames):
            if not take.count:
                take.start = at
            part = min(count, len(take.frames) - take.count)
            take.frames[take.count : take.count + part] = frames[:part, 0]
            take.count += part
        ears = self._ears[:count]
        ears[:] = 0
        _put(ears, at, self._heard)
        self._captured = at + count
        self._heard_at = when
        assert self._capture is not None
        self._capture(ears, when, lost)

    def _on_play(self, into: np.ndarray, when: float, starved: bool) -> None:
        assert self._play is not None
        self._play(into, when, starved)
        if self._spoken is not None:
            into[:] = 0  # what the engine says would be in the way
        _put(into, self._played, self._spoken)
        self._played += len(into)
        since = (when - self._heard_at) * self.input.rate  # 0 where one callback does both
        ahead = self._captured + since - self._played * self._ratio
        self._ahead[self._callbacks % _CALLBACKS] = ahead
        self._callbacks += 1

    # ---- measuring ----------------------------------------------------------------------------

    def through_devices(self, signal: np.ndarray, seconds: float) -> LoopbackRecording:
        """Plays ``signal`` ``[N]`` at the output's rate past the engine, and records."""
        start = self._played + round(_SOON_S * self.output.rate)
        # Between two callbacks a device goes on; the median, since some callbacks come late.
        ahead = float(np.median(self._ahead[: max(1, min(self._callbacks, _CALLBACKS))]))
        place = round(start * self._ratio + ahead)
        return self._record(seconds, place, spoken=(start, signal))

    def through_engine(
        self, signal: np.ndarray, seconds: float, block: int = 1
    ) -> LoopbackRecording:
        """Lets the engine hear ``signal`` ``[N]`` at the input's rate, and records its answer.

        The signal begins with a block of so many samples, counted from the first one captured.
        """
        soon = self._captured + round(_SOON_S * self.input.rate)
        place = -(-soon // block) * block
        return self._record(seconds, place, heard=(place, signal))

    def _record(
        self,
        seconds: float,
        place: int,
        spoken: tuple[int, np.ndarray] | None = None,
        heard: tuple[int, np.ndarray] | None = None,
    ) -> LoopbackRecording:
        take = _Take(np.zeros(round(seconds * self.input.rate), np.float32))
        self._spoken, self._heard, self._take = spoken, heard, take
        deadline = time.monotonic() + seconds + 3
        while take.count < len(take.frames) and self.lost is None and time.monotonic() < deadline:
            time.sleep(0.02)
        self._spoken = self._heard = self._take = None
        return LoopbackRecording(take.frames[: take.count], place - take.start)


def _put(into: np.ndarray, at: int, signal: tuple[int, np.ndarray] | None) -> None:
    """Adds what of a signal falls into ``into`` ``[N, C]``, which begins at ``at``."""
    if signal is None:
        return
    start, samples = signal
    low, high = max(at, start), min(at + len(into), start + len(samples))
    if low < high:
        into[low - at : high - at] += samples[low - start : high - start, None]


@dataclass(frozen=True, slots=True)
class LoopbackRecording:
    """What was recorded.

    Attributes:
        frames: of the input's first channel, ``[N]``.
        after: where in them the signal began that was put in.
    """

    frames: np.ndarray
    after: int

    def latency(self, signal: np.ndarray, rate: int) -> tuple[float, float]:
        """Seconds until ``signal`` came back, and how sure that is."""
        lag, sure = find(signal, self.frames, rate)
        return (lag - self.after) / rate, sure

    def answered(self, answer: np.ndarray, rate: int) -> tuple[float, float]:
        """Seconds until ``answer`` began, and how sure that is."""
        lag, sure = find(answer, self.frames, rate, _SAME)
        return (lag - self.after) / rate, sure
