"""Runs soak tests: on devices in real time, or on simulated devices as fast as possible."""

from __future__ import annotations

import time

import numpy as np

from voicegraph.graph.live.devices.audio_backend import (
    AudioBackend,
    CaptureCallback,
    OpenDevice,
    PlaybackCallback,
)
from voicegraph.graph.live.factory import LiveOptions, create_loop
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.setup import LiveSetup
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.graph.live.status import live_latency
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.soak_report import SoakReport

from ._soak import SoakMonitor, Tell, build_report, bundled_speech

_SAMPLE_EVERY_S = 5.0
_PERIOD_S = 0.01
_TELL_EVERY_S = 60.0


class RecordingCard:
    """An audio backend whose input is a recording, repeated, in place of the microphone.

    Args:
        card: the backend to wrap.
        recording: float32 ``[N]`` at the rate of the input.
    """

    def __init__(self, card: AudioBackend, recording: np.ndarray) -> None:
        self._card, self._recording = card, recording
        self.input, self.output, self.one_clock = card.input, card.output, card.one_clock
        self._at = 0
        self._buffer = np.zeros((16384, card.input.channels), np.float32)

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        """Starts the callbacks of the wrapped backend."""

        def capture_recording(frames: np.ndarray, when: float, lost: bool) -> None:
            into = self._buffer[: len(frames)]
            count = 0
            while count < len(into):  # copies slices: a callback must not allocate
                part = self._recording[self._at : self._at + len(into) - count]
                into[count : count + len(part)] = part[:, None]
                count += len(part)
                self._at = (self._at + len(part)) % len(self._recording)
            capture(into, when, lost)

        self._card.start(capture_recording, play)

    def stop(self) -> None:
        """Stops the wrapped backend."""
        self._card.stop()

    @property
    def lost(self) -> str | None:
        """Why a device is lost; None while both work."""
        return self._card.lost

    def reopen(self) -> bool:
        """Reopens the wrapped backend."""
        return self._card.reopen()


def soak_devices(
    setup: LiveSetup, options: LiveOptions, seconds: float, microphone: bool, tell: Tell
) -> SoakReport:
    """Runs a live session on devices for so many seconds.

    Raises:
        VoicegraphError: if a device or the pipeline fails.
    """
    card: AudioBackend = setup.open_card()
    try:
        if not microphone:
            card = RecordingCard(card, bundled_speech(card.input))
        live = LiveSession(setup.plan.session(), card, options)
    except BaseException:
        card.stop()
        raise
    monitor = SoakMonitor(live.loop, lambda: live_latency(live).expected_ms)
    last_told = 0.0
    try:
        live.start()
        begun = time.monotonic()
        while (at := time.monotonic() - begun) < seconds and not live.stopped.wait(
            min(_SAMPLE_EVERY_S, seconds - at)
        ):
            now = time.monotonic() - begun
            monitor.sample(now)
            if now - last_told >= _TELL_EVERY_S:
                last_told = now
                tell(_line(monitor, now))
    finally:
        live.stop()
    if live.error is not None:
        raise live.error
    wall = time.monotonic() - begun
    ends = (card.input, card.output)
    return build_report(monitor, setup.plan, ends, seconds=wall, wall_s=wall, freewheel=False)


def soak_freewheel(
    pipeline: Pipeline, options: LiveOptions, seconds: float, drift_ppm: float, tell: Tell
) -> SoakReport:
    """Runs the engine loop on simulated devices, as fast as possible.

    Compute times are the measured ones. Callbacks have jitter, and the clock of the input device
    runs ``drift_ppm`` fast.

    Raises:
        VoicegraphError: if the pipeline fails.
    """
    plan = pipeline.compile()
    source = OpenDevice("simulated", int(plan.source.rate), plan.source.channels, 0.0)
    target = OpenDevice("simulated", int(plan.output_type.rate), plan.output_type.width or 1, 0.0)
    with plan.session() as session:
        loop = create_loop(session, source, target, one_clock=False, options=options)
        block_ms = 1e3 * float(plan.block)
        algorithmic = 1e3 * float(plan.latency.algorithmic)

        def declared() -> float:
            return algorithmic + block_ms + 1e3 * loop.compensation.reserve / target.rate

        monitor = SoakMonitor(loop, declared)
        recording = bundled_speech(source)

        def sound(start: int, count: int) -> np.ndarray:
            at = np.arange(start, start + count) % len(recording)
            return np.repeat(recording[at, None], source.channels, 1)

        capture = SimulatedDevice(
            source.rate, round(_PERIOD_S * source.rate), drift_ppm, jitter_s=0.001
        )
        play = SimulatedDevice(target.rate, round(_PERIOD_S * target.rate), 0.0, jitter_s=0.001)
        simulation = Simulation(loop, capture, play, sound)
        begun = time.monotonic()
        last_told = 0.0
        while simulation.now < seconds:
            simulation.run(min(_SAMPLE_EVERY_S, seconds - simulation.now))
            monitor.sample(simulation.now)
            if simulation.now - last_told >= 10 * _TELL_EVERY_S:
                last_told = simulation.now
                tell(_line(monitor, last_told))
        wall = time.monotonic() - begun
        ends = (source, target)
        return build_report(monitor, plan, ends, seconds=seconds, wall_s=wall, freewheel=True)


def _line(monitor: SoakMonitor, now: float) -> str:
    newest = monitor.samples[-1]
    memory = "" if newest.resident is None else f", {newest.resident / 1e6:.0f} MB"
    counts = monitor.loop.counts
    return (
        f"{now / 60:.0f} min: {counts.late} late, {counts.dropped} dropped, "
        f"delay {newest.latency_ms:.1f} ms{memory}"
    )
