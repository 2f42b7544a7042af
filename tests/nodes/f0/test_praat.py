"""``f0.praat``."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import assert_close, share

pytestmark = pytest.mark.numeric

parselmouth = pytest.importorskip("parselmouth", reason='needs pip install "voicegraph[praat]"')

OTHER_TIMES = share(2e-3, "3.5 cents: a glide, read between frames 10 ms apart")

test_conformance = conformance.suite("f0.praat", slow=("growth",))

RATE = 16000


def _pipeline(block: str = "800ms", **params) -> Pipeline:
    return Pipeline(
        block=block,
        input={"rate": RATE, "channels": 1},
        nodes={"f0": node("f0.praat", "input", **params)},
        output="f0",
    )


def _voice(seconds: float = 0.8) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(150 * 2 ** (time / 2)) / RATE
    return (0.1 * np.sum([np.cos(k * phase) / k for k in range(1, 10)], 0)).astype(np.float32)


def test_frames_are_praat_s_own_at_its_own_times() -> None:
    """Without the zeros around the span, Praat's frames lie where they fit: found by time."""
    audio = _voice()
    own = parselmouth.Sound(audio.astype(np.float64), RATE).to_pitch_ac(
        time_step=0.01, voicing_threshold=0.6, pitch_floor=50.0, pitch_ceiling=1100.0
    )
    with _pipeline().session(warm_up=False) as session:
        found = session.process(audio)
    at = own.xs() - 0.5 / RATE
    expected = np.interp(np.arange(10, 70) / 100, at, own.selected_array["frequency"])
    assert_close(found[10:70], expected, OTHER_TIMES)


def test_frames_reach_to_both_ends() -> None:
    with _pipeline("200ms", fill=False).session(warm_up=False) as session:
        found = session.process(_voice(0.2))
    assert found[1:-1].all()


def test_a_window_s_length_is_analysed_at_least() -> None:
    plan = _pipeline("10ms", floor=40.0).compile()
    assert plan.find("f0").given["audio"].interval.duration == Fraction(80, 1000)


def test_threshold_is_one_of_strength() -> None:
    noise = 0.1 * np.random.default_rng(1).standard_normal(12800).astype(np.float32)
    shares = []
    for threshold in (0.1, 0.9):
        pipeline = _pipeline(threshold=threshold, fill=False)
        with pipeline.session(warm_up=False) as session:
            shares.append((session.process(_voice() + noise) > 0).mean())
    assert shares[0] > 0.9
    assert shares[1] < 0.5
