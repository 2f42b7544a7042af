"""Engine loops and live sessions without a sound card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.live._capture_buffer import CaptureRingBuffer
from voicegraph.graph.live._drift_compensation import DriftCompensation
from voicegraph.graph.live._playback_buffer import PlaybackRingBuffer
from voicegraph.graph.live.devices.audio_backend import (
    CaptureCallback,
    OpenDevice,
    PlaybackCallback,
)
from voicegraph.graph.live.engine_loop import EngineLoop
from voicegraph.graph.live.factory import LiveOptions
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.pipeline import Pipeline, node

RATE = 48000
MARGIN = 144


@pytest.fixture
def make_loop() -> Callable[..., EngineLoop]:
    """Makes an engine loop with a pipeline that passes audio through."""

    def make(
        block: str = "20ms",
        one_clock: bool = False,
        on_late: str = "fade",
        delay: str | None = None,
        **options: object,
    ) -> EngineLoop:
        passing = node("dsp.delay", "input", time=delay) if delay else node("dsp.gain", "input")
        pipeline = Pipeline(
            block=block,
            input={"rate": RATE, "channels": 1},
            nodes={"pass": passing},
            output="pass",
            on_late=on_late,
        )
        session = pipeline.session(warm_up=False)
        plan = session.plan
        capture = CaptureRingBuffer(1, plan.samples_in, RATE)
        playback = PlaybackRingBuffer(1, RATE, 2 * RATE, plan.settings.on_late)
        rates = (RATE, RATE)
        compensation = DriftCompensation(
            capture, playback, rates, plan.samples_out + MARGIN, one_clock
        )
        return EngineLoop(session, capture, playback, compensation, **options)  # pyright: ignore[reportArgumentType]

    return make


@pytest.fixture
def sine() -> Callable[[float], Callable[[int, int], np.ndarray]]:
    """Makes a captured sine at half of full scale."""

    def make(frequency: float) -> Callable[[int, int], np.ndarray]:
        def sound(start: int, count: int) -> np.ndarray:
            at = np.arange(start, start + count)
            wave = 0.5 * np.sin(2 * np.pi * frequency * at / RATE)
            return wave.astype(np.float32)[:, None]

        return sound

    return make


@pytest.fixture
def played() -> Played:
    """The output of a simulated device."""
    return Played()


class Played:
    """Collects what is played."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] = []

    def __call__(self, position: int, frames: np.ndarray) -> None:
        self.parts.append(frames[:, 0].copy())

    @property
    def audio(self) -> np.ndarray:
        return np.concatenate(self.parts)


class StillCard:
    """A card without callbacks: the simulation or the test drives the loop."""

    def __init__(self, rate: int = RATE, channels: int = 1, one_clock: bool = True) -> None:
        self.input = OpenDevice("Microphone", rate, channels, 0.005)
        self.output = OpenDevice("Loudspeaker", rate, channels, 0.007)
        self.one_clock = one_clock
        self.lost: str | None = None
        self.stopped = 0
        self.started = 0
        self.returns: list[bool] = []
        """Successive results of ``reopen``; then False."""

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        self.started += 1

    def stop(self) -> None:
        self.stopped += 1

    def reopen(self) -> bool:
        back = bool(self.returns) and self.returns.pop(0)
        if back:
            self.lost = None
        return back


@pytest.fixture
def make_live() -> Iterator[Callable[..., LiveSession]]:
    """Makes a live session that is not started: ``make_live({"nodes": ...}, push_to_talk=True)``.

    Its loop can be run by a simulation.
    """
    made: list[LiveSession] = []

    def make(
        pipeline: Pipeline | None = None, card: StillCard | None = None, **options: Any
    ) -> LiveSession:
        if pipeline is None:
            nodes = {"pass": node("dsp.gain", "input", db=0.0)}
            pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="pass")
        session = pipeline.session(warm_up=False)
        live = LiveSession(session, card or StillCard(), LiveOptions(**options))
        made.append(live)
        return live

    yield make
    for live in made:
        live.stop()
