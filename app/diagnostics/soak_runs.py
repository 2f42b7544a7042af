"""The two ways to soak a pipeline: on devices in real time, and on simulated ones."""

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

_LOOKS_S = 5.0
_PERIOD_S = 0.01
_TELLS_S = 60.0


class RecordingCard:
    """A card that hears a recording, over and over, in place of its microphone.

    Args:
        card: the real one.
        recording: ``[samples]`` at the input's rate.
    """

    def __init__(self, card: AudioBackend, recording: np.ndarray) -> None:
        self._card, self._recording = card, recording
        self.input, self.output, self.one_clock = card.input, card.output, card.one_clock
        self._at = 0
        self._spoken = np.zeros((16384, card.input.channels), np.float32)

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        """As the card does."""

        def hear(frames: np.ndarray, when: float, lost: bool) -> None:
            played = self._spoken[: len(frames)]
            said = 0
            while said < len(played):  # by slices: a callback allocates nothing
                part = self._recording[self._at : self._at + len(played) - said]
                played[said : said + len(part)] = part[:, None]
                said += len(part)
                self._at = (self._at + len(part)) % len(self._recording)
            capture(played, when, lost)

        self._card.start(hear, play)

    def stop(self) -> None:
        """As the card does."""
        self._card.stop()

    @property
    def lost(self) -> str | None:
        """As the card says."""
        return self._card.lost

    def reopen(self) -> bool:
        """As the card does."""
        return self._card.reopen()


def soak_devices(
    setup: LiveSetup, options: LiveOptions, seconds: float, microphone: bool, tell: Tell
) -> SoakReport:
    """Runs a live session on devices for so long.

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
    watch = SoakMonitor(live.loop, lambda: live_latency(live).expected_ms)
    told = 0.0
    try:
        live.start()
        begun = time.monotonic()
        while (at := time.monotonic() - begun) < seconds and not live.stopped.wait(
            min(_LOOKS_S, seconds - at)
        ):
            now = time.monotonic() - begun
            watch.look(now)
            if now - told >= _TELLS_S:
                told = now
                tell(_line(watch, now))
    finally:
        live.stop()
    if live.error is not None:
        raise live.error
    wall = time.monotonic() - begun
    ends = (card.input, card.output)
    return build_report(watch, setup.plan, ends, seconds=wall, wall_s=wall, freewheel=False)


def soak_freewheel(
    pipeline: Pipeline, options: LiveOptions, seconds: float, drift_ppm: float, tell: Tell
) -> SoakReport:
    """Runs the engine's loop on simulated devices, as fast as it goes.

    Blocks take the time that they were measured to take; callbacks come when they would, some a
    little late; the input's clock runs ``drift_ppm`` fast.

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

        watch = SoakMonitor(loop, declared)
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
        told = 0.0
        while simulation.now < seconds:
            simulation.run(min(_LOOKS_S, seconds - simulation.now))
            watch.look(simulation.now)
            if simulation.now - told >= 10 * _TELLS_S:
                told = simulation.now
                tell(_line(watch, told))
        wall = time.monotonic() - begun
        ends = (source, target)
        return build_report(watch, plan, ends, seconds=seconds, wall_s=wall, freewheel=True)


def _line(watch: SoakMonitor, now: float) -> str:
    newest = watch.samples[-1]
    memory = "" if newest.resident is None else f", {newest.resident / 1e6:.0f} MB"
    counts = watch.loop.counts
    return (
        f"{now / 60:.0f} min: {counts.late} late, {counts.dropped} left out, "
        f"delay {newest.latency_ms:.1f} ms{memory}"
    )
