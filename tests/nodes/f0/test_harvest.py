"""``f0.harvest``, and what it shares with all estimators."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.signal import medfilt

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.nodes.world import world_library

from ...tolerance import assert_close, share

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("f0.harvest", slow=("growth",))

RATE = 16000


def voice(f0: float, seconds: float) -> np.ndarray:
    """A buzz with formant-like weights: Harvest and DIO look for harmonics."""
    time = np.arange(round(seconds * RATE)) / RATE
    parts = [np.cos(2 * np.pi * f0 * k * time) / (1 + (k / 4) ** 2) for k in range(1, 20)]
    return (0.1 * np.sum(parts, 0)).astype(np.float32)


def _session(block: str = "200ms", streams: int = 1, **params):
    nodes = {"f0": node("f0.harvest", "input", **params)}
    keys = {"block": block, "input": {"rate": RATE, "channels": 1}, "output": "f0"}
    return Pipeline(nodes=nodes, **keys).session(streams, warm_up=False)


def test_frames_are_those_of_the_asked_span_alone() -> None:
    audio = voice(140, 0.4)
    audio[: RATE // 10] = 0
    with _session() as session:
        session.process(audio[: RATE // 5])
        found = session.process(audio[RATE // 5 :], taps=["f0.voiced"])
    block = audio[RATE // 5 :].astype(np.float64)
    expected = medfilt(world_library.harvest(block, RATE, 50.0, 1100.0, 10.0), 3)
    assert len(expected) == 21  # one frame lies at the very end of the span, outside it
    np.testing.assert_array_equal(found, expected[:20].astype(np.float32))
    np.testing.assert_array_equal(session.taps["f0.voiced"][0], expected[:20] > 0)


def test_finds_the_pitch_of_each_stream() -> None:
    audio = np.stack([voice(110, 0.2), voice(230, 0.2)])[:, None]
    with _session(streams=2) as session:
        found = session.process(audio)
    assert_close(np.median(found, 1), [110, 230], share(0.005, "9 cents, of Harvest itself"))


def test_context_is_analysed_and_left_out() -> None:
    audio = voice(90, 0.4) * np.linspace(0, 1, 6400, dtype=np.float32)
    with _session(context="55ms") as session:  # 60 ms, so that the frames stay where they are
        session.process(audio[:3200])
        found = session.process(audio[3200:])
    whole = world_library.harvest(audio[3200 - 960 :].astype(np.float64), RATE, 50.0, 1100.0, 10.0)
    np.testing.assert_array_equal(found, medfilt(whole, 3)[6:26].astype(np.float32))


def test_a_span_too_short_for_harvest_is_widened() -> None:
    audio = voice(200, 0.2)
    with _session("10ms") as session:
        planned = session.plan.find("f0")
        found = [session.process(audio[s : s + 160]) for s in range(0, len(audio), 160)]
    assert planned.given["audio"].interval.duration == Fraction(60, 1000)
    assert [len(frames) for frames in found] == [1] * 20
    assert np.median(np.concatenate(found)[10:]) == pytest.approx(200, rel=0.02)


@pytest.mark.parametrize("fill", [False, True])
def test_silence_is_unvoiced(fill: bool) -> None:
    with _session(fill=fill) as session:
        found = session.process(np.zeros(RATE // 5, np.float32), taps=["f0.voiced"])
    assert not found.any()
    assert not session.taps["f0.voiced"].any()


def test_filled_gaps_keep_their_voicing() -> None:
    audio = voice(150, 0.4)
    audio[RATE // 10 : RATE // 5] = 0
    with _session("400ms", fill=True) as session:
        found = session.process(audio, taps=["f0.voiced"])
    voiced = session.taps["f0.voiced"][0]
    assert not voiced[13:17].any()
    assert voiced.sum() > 20
    assert_close(found[13:17], 150, share(0.02, "35 cents, Harvest at the end of a voice"))


def test_floor_must_lie_below_ceiling() -> None:
    with pytest.raises(PipelineError, match=r"floor \(400 Hz\) must lie below ceiling \(300 Hz\)"):
        _session(floor=400.0, ceiling=300.0)


def test_estimates_outside_the_range_are_not_made() -> None:
    with _session(floor=150.0, ceiling=400.0) as session:
        found = session.process(voice(200, 0.2))
    assert found.any()
    assert found[found > 0].min() >= 150
    assert found.max() <= 400
