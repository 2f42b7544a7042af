"""The health of a session: every kind of loss is counted and said, worst first."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.live.engine_loop import EngineLoop
from voicegraph.graph.live.health import build_health, health_events
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.schemas.live_health import LateReport, LiveHealth
from voicegraph.schemas.recording_state import RecordingState

RATE = 48000


def run(
    loop: EngineLoop,
    sound: Any,
    seconds: float,
    cost: float = 0.004,
    away: Any = MappingProxyType({}),
) -> LiveHealth:
    capture, output = (SimulatedDevice(RATE, 480, away=away.get(end, ())) for end in ("in", "out"))
    Simulation(loop, capture, output, sound, cost=lambda _: cost).run(seconds)
    return build_health(loop)


def test_nothing_is_said_of_a_session_without_faults(
    make_loop: Callable[..., EngineLoop], sine: Any
) -> None:
    assert run(make_loop(), sine(440), 10) == LiveHealth()


@pytest.mark.parametrize("end", ["in", "out"])
def test_card_that_drops_out_is_not_hidden(
    make_loop: Callable[..., EngineLoop], sine: Any, end: str
) -> None:
    """Blocks are in time; only the device loses audio, and the delay jumps."""
    away = tuple((at, at + 0.5) for at in (4.0, 8.0, 12.0))
    health = run(make_loop(), sine(440), 16, away={end: away})
    assert health.realigned >= 3
    assert 400 < health.largest_realignment_ms < 600
    times = f"{health.realigned} times"
    assert health.events[0].startswith(f"audio was lost and the delay jumped {times}, by up to 5")
    if end == "in":
        assert health.gaps >= 3
        assert health.events[1].startswith(f"the output had {health.gaps} gaps, 1.")


def test_slow_engine_is_told_with_figures(make_loop: Callable[..., EngineLoop], sine: Any) -> None:
    health = run(make_loop(), sine(440), 6, cost=0.03)
    assert health.late.blocks > 10
    assert health.late.dropped > 10
    assert f"{health.late.blocks} blocks were late (overrun), by up to" in health.events[-1]
    assert health.events[-2] == f"{health.late.dropped} blocks were dropped"


def test_losses_while_the_devices_open_do_not_count(
    make_loop: Callable[..., EngineLoop], sine: Any
) -> None:
    loop = make_loop()
    frames = np.zeros((480, 1), np.float32)
    loop.capture.callback(frames, 0.0, True)
    loop.playback.callback(frames, 0.0, True)
    assert run(loop, sine(440), 5).events == []
    loop.playback.callback(frames, 5.0, True)
    loop.restart()
    assert build_health(loop).underruns == 1


def test_samples_beyond_full_scale_are_told(make_loop: Callable[..., EngineLoop]) -> None:
    def loud(start: int, count: int) -> np.ndarray:
        return np.ones((count, 1), np.float32)

    health = run(make_loop(), loud, 3)
    assert health.clipped_in == health.clipped_out > RATE // 2
    assert health.events[-1] == f"the input clipped: {health.clipped_in} samples"


def test_device_reports_are_counted(make_loop: Callable[..., EngineLoop]) -> None:
    loop = make_loop()
    frames = np.zeros((480, 1), np.float32)
    loop.capture.callback(frames, 0.0, True)
    loop.playback.callback(frames, 0.0, True)
    loop.playback.callback(frames, 0.01, True)
    health = build_health(loop, devices_lost=1, control_packets_dropped=2)
    assert health.events == [
        "a device went away once",
        "the output device ran dry (underrun) twice",
        "the input device lost audio (overflow) once",
        "too many at once: 2 control packets not carried out",
    ]


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        (RecordingState(path="a"), []),
        (RecordingState(path="a", left_s=3600), []),
        (
            RecordingState(path="a", behind=0.75),
            ["the recording is falling behind: its queue is 75% full"],
        ),
        (
            RecordingState(path="a", left_s=125),
            ["the disk has room for 2 more minutes of recording"],
        ),
        (
            RecordingState(path="a", left_s=0, stopped="No space left on device", recorded_s=9.6),
            ["the recording stopped after 10 s: No space left on device"],
        ),
    ],
)
def test_recording_is_told(recording: RecordingState, expected: list[str]) -> None:
    assert health_events(LiveHealth(recording=recording)) == expected


def test_worst_comes_first() -> None:
    health = LiveHealth(
        late=LateReport(blocks=1, worst_ms=3.2),
        realigned=2,
        largest_realignment_ms=4100,
        node_faults={"f0": 2},
        silenced_by="f0",
        silent_s=12.3,
        recording=RecordingState(path="a", stopped="the disk is too slow"),
    )
    assert health_events(health) == [
        "the output is silent: f0 failed",
        "nodes failed: f0 twice; 12.3 s without output",
        "the recording stopped after 0 s: the disk is too slow",
        "audio was lost and the delay jumped twice, by up to 4.1 s",
        "1 block was late (overrun), by up to 3 ms",
    ]
