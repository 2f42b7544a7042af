"""A live loop without a sound card."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from voicegraph.graph.live.alignment import Alignment
from voicegraph.graph.live.capture import Capture
from voicegraph.graph.live.loop import Loop
from voicegraph.graph.live.playback import Playback
from voicegraph.graph.pipeline import Pipeline, node

RATE = 48000
MARGIN = 144


@pytest.fixture
def make_loop() -> Callable[..., Loop]:
    """A loop round a pipeline that passes audio through."""

    def make(
        block: str = "20ms",
        one_clock: bool = False,
        on_late: str = "fade",
        delay: str | None = None,
        **options: object,
    ) -> Loop:
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
        capture = Capture(1, plan.samples_in, RATE)
        playback = Playback(1, RATE, 2 * RATE, plan.settings.on_late)
        rates = (RATE, RATE)
        alignment = Alignment(capture, playback, rates, plan.samples_out + MARGIN, one_clock)
        return Loop(session, capture, playback, alignment, **options)  # pyright: ignore[reportArgumentType]

    return make


@pytest.fixture
def sine() -> Callable[[float], Callable[[int, int], np.ndarray]]:
    """A sine at half of full scale, as what a simulated device captures."""

    def make(frequency: float) -> Callable[[int, int], np.ndarray]:
        def sound(start: int, count: int) -> np.ndarray:
            at = np.arange(start, start + count)
            wave = 0.5 * np.sin(2 * np.pi * frequency * at / RATE)
            return wave.astype(np.float32)[:, None]

        return sound

    return make


@pytest.fixture
def heard() -> Heard:
    """What a simulated device has played."""
    return Heard()


class Heard:
    """Collects what is played."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] = []

    def __call__(self, position: int, frames: np.ndarray) -> None:
        self.parts.append(frames[:, 0].copy())

    @property
    def audio(self) -> np.ndarray:
        return np.concatenate(self.parts)
