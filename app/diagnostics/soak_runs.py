"""Runs soak tests: on devices in real time, or on simulated devices as fast as possible."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from voicegraph.graph.live.devices.audio_backend import (
    AudioBackend,
    CaptureCallback,
    OpenDevice,
    PlaybackCallback,
)
from voicegraph.graph.live.factory import LiveOptions, create_loop, hold_delay
from voicegraph.graph.live.memory_trim import trim_memory
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.setup import LiveSetup
from voicegraph.graph.live.simulated_card import CaptureSource, SimulatedDevice, Simulation
from voicegraph.graph.live.status import live_latency, live_params
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.startup_stages import end_stages
from voicegraph.schemas.live_command import SetParam, Swap
from voicegraph.schemas.soak_report import SoakChanges, SoakLimits, SoakReport

from ._soak import SoakMonitor, SoakRun, Tell, build_report, bundled_speech
from ._soak_changes import SoakSchedule

if TYPE_CHECKING:
    from voicegraph.graph.live.engine_loop import EngineLoop
    from voicegraph.graph.runtime.hot_swap import HotSwap
    from voicegraph.graph.runtime.session import Session

_SAMPLE_EVERY_S = 5.0
_PERIOD_S = 0.01
_TELL_EVERY_S = 60.0
_LONGEST_SWAP_S = 10.0
"""Seconds before the end of the test at which the last hot swap may begin."""


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


@dataclass(frozen=True, slots=True)
class SoakSettings:
    """What a soak test does.

    Attributes:
        seconds: of audio.
        limits: what is allowed.
        swap_every_s: seconds of audio between two hot swaps of the whole pipeline; 0: none.
        set_every_s: seconds of audio between two changes of a live param; 0: none.
        live: settings of the live session.
    """

    seconds: float
    limits: SoakLimits = field(default_factory=SoakLimits)
    swap_every_s: float = 0.0
    set_every_s: float = 0.0
    live: LiveOptions = field(default_factory=LiveOptions)

    def most_blocks(self, plan: Plan) -> int:
        """More blocks than the test has, whatever the drift of the clocks."""
        return math.ceil(1.01 * self.seconds / plan.block) + 100

    def schedule(self) -> SoakSchedule:
        """The changes of one run."""
        last_swap = self.seconds - _LONGEST_SWAP_S
        return SoakSchedule(self.swap_every_s, self.set_every_s, last_swap)


def soak_devices(
    setup: LiveSetup, settings: SoakSettings, microphone: bool, tell: Tell
) -> SoakReport:
    """Runs a live session on devices in real time.

    Raises:
        VoicegraphError: if a device or the pipeline fails.
    """
    card: AudioBackend = setup.open_card()
    try:
        if not microphone:
            card = RecordingCard(card, bundled_speech(card.input))
        live = LiveSession(setup.plan.session(write_files=False), card, settings.live)
    except BaseException:
        card.stop()
        raise
    monitor = SoakMonitor(
        live.loop, lambda: live_latency(live).expected_ms, settings.most_blocks(setup.plan)
    )
    schedule = settings.schedule()
    try:
        live.start()
        begun = time.monotonic()
        _watch(live, monitor, schedule, settings.seconds, tell)
    finally:
        live.stop()
    if live.error is not None and not live.unfinished:  # what hangs at the end is a result
        raise live.error
    wall = time.monotonic() - begun
    changes = _changes(schedule, live.session.swaps)
    lost, unfinished = live.devices_lost, tuple(live.unfinished)
    run = SoakRun(wall, wall, False, settings.limits, changes, lost, unfinished)
    return build_report(monitor, setup.plan, (card.input, card.output), run)


def _watch(
    live: LiveSession, monitor: SoakMonitor, schedule: SoakSchedule, seconds: float, tell: Tell
) -> None:
    """Measures a running session, and changes it, until it has run for so many seconds."""
    begun = time.monotonic()
    sampled = last_told = 0.0
    while (now := time.monotonic() - begun) < seconds:
        due = min(sampled + _SAMPLE_EVERY_S, schedule.next_due(now), seconds)
        if live.stopped.wait(max(due - now, 0.0)):
            return
        now = time.monotonic() - begun
        schedule.run_due(
            now,
            lambda: live_params(live.session),
            lambda overrides: live.command(Swap(overrides=dict(overrides))),
            lambda name, value: live.command(SetParam(param=name, value=value)),
        )
        if now >= min(sampled + _SAMPLE_EVERY_S, seconds):
            sampled = now
            monitor.sample(now)
        if now - last_told >= _TELL_EVERY_S:
            last_told = now
            tell(_line(monitor, now))


def soak_freewheel(
    pipeline: Pipeline, settings: SoakSettings, drift_ppm: float, tell: Tell
) -> SoakReport:
    """Runs the engine loop on simulated devices, as fast as possible.

    Compute times are the measured ones. Callbacks have jitter, and the clock of the input device
    runs ``drift_ppm`` fast. The time that it takes to build the engine of a hot swap, and to prime
    it, does not count: a live session does that on another thread.

    Raises:
        VoicegraphError: if the pipeline fails.
    """
    plan = pipeline.compile()
    source = OpenDevice("simulated", int(plan.source.rate), plan.source.channels, 0.0)
    target = OpenDevice("simulated", int(plan.output_type.rate), plan.output_type.width or 1, 0.0)
    schedule = settings.schedule()
    with plan.session(write_files=False) as session:
        session.recover_from_faults(lambda _: None)
        loop = create_loop(session, source, target, one_clock=False, options=settings.live)
        expected_ms = _declared_latency(loop, plan, target)
        hold_delay(loop, settings.live, expected_ms, lambda text, *_: tell(text))
        monitor = SoakMonitor(loop, expected_ms, settings.most_blocks(plan))
        simulation = Simulation(loop, *_simulated_ends(source, target, drift_ppm), _speech(source))
        end_stages()
        begun = time.monotonic()
        _simulate(simulation, session, monitor, schedule, settings.seconds, tell)
        wall = time.monotonic() - begun
        changes = _changes(schedule, session.swaps)
        run = SoakRun(settings.seconds, wall, True, settings.limits, changes)
        return build_report(monitor, plan, (source, target), run)


def _simulate(
    simulation: Simulation,
    session: Session,
    monitor: SoakMonitor,
    schedule: SoakSchedule,
    seconds: float,
    tell: Tell,
) -> None:
    swaps: list[HotSwap] = []

    def swap(overrides: Mapping[str, Any]) -> None:
        swaps.append(session.change(overrides))

    sampled = last_told = 0.0
    while simulation.now < seconds:
        due = min(sampled + _SAMPLE_EVERY_S, schedule.next_due(simulation.now), seconds)
        simulation.run(max(due - simulation.now, 1e-6))
        now = simulation.now
        schedule.run_due(now, lambda: live_params(session), swap, session.set)
        if swaps and swaps[-1].over.is_set():
            swaps.clear()
            trim_memory()  # as a live session does
        if now >= min(sampled + _SAMPLE_EVERY_S, seconds):
            sampled = now
            monitor.sample(now)
        if now - last_told >= 10 * _TELL_EVERY_S:
            last_told = now
            tell(_line(monitor, now))


def _changes(schedule: SoakSchedule, completed: int) -> SoakChanges:
    refused = schedule.swaps_refused + max(schedule.swaps_begun - completed, 0)
    return SoakChanges(swaps=completed, swaps_refused=refused, params_set=schedule.params_set)


def _declared_latency(loop: EngineLoop, plan: Plan, target: OpenDevice) -> Callable[[], float]:
    fixed = 1e3 * float(plan.latency.algorithmic + plan.block)
    return lambda: fixed + 1e3 * loop.compensation.reserve / target.rate


def _simulated_ends(
    source: OpenDevice, target: OpenDevice, drift_ppm: float
) -> tuple[SimulatedDevice, SimulatedDevice]:
    periods = (round(_PERIOD_S * source.rate), round(_PERIOD_S * target.rate))
    return (
        SimulatedDevice(source.rate, periods[0], drift_ppm, jitter_s=0.001),
        SimulatedDevice(target.rate, periods[1], 0.0, jitter_s=0.001),
    )


def _speech(source: OpenDevice) -> CaptureSource:
    recording = bundled_speech(source)

    def sound(start: int, count: int) -> np.ndarray:
        at = np.arange(start, start + count) % len(recording)
        return np.repeat(recording[at, None], source.channels, 1)

    return sound


def _line(monitor: SoakMonitor, now: float) -> str:
    newest = monitor.samples[-1]
    memory = "" if newest.resident is None else f", {newest.resident / 1e6:.0f} MB"
    counts = monitor.loop.counts
    return (
        f"{now / 60:.0f} min: {counts.late} late, {counts.dropped} dropped, "
        f"delay {newest.latency_ms:.1f} ms{memory}"
    )
