"""What comes out begins with the input and is as long, in pieces of any size."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph import random
from voicegraph.graph.files.sound._latency_compensation import LatencyCompensator
from voicegraph.graph.files.sound.input_conversion import ConversionPlan, plan_conversion
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio

from ....tolerance import SAMPLES, assert_close

pytestmark = pytest.mark.numeric

RATES = (8000, 11025, 16000, 22050, 44100, 48000)


def _look_ahead(channels: int) -> Pipeline:
    """Transparent for quiet sound, and 5 ms late."""
    nodes = {"limit": node("dsp.limiter", "input", ceiling=0.0)}
    return Pipeline(block="10ms", input={"channels": channels}, nodes=nodes, output="limit")


def _through(found: ConversionPlan, audio: np.ndarray, cuts: list[int]) -> np.ndarray:
    """One session after the other, the first fed in pieces."""
    taken = audio.shape[1]
    for plan in found.plans:
        total = -(-taken * plan.output_type.rate // found.plans[0].source.rate)
        if plan is found.plan:
            total = found.length(taken, found.plans[0].source)
        with plan.session(warm_up=False) as session:
            link = LatencyCompensator(session)
            made = [link.push(piece) for piece in np.split(audio, cuts, axis=1)]
            made += list(link.finish(int(total)))
            assert link.given >= total
        audio, cuts = np.concatenate(made, axis=1), []
    return audio


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4000), st.integers(1, 3), st.lists(st.integers(0, 4000), max_size=4))
def test_latency_is_removed_to_the_sample(frames: int, channels: int, cuts: list[int]) -> None:
    audio = _noise(frames, channels)
    found = plan_conversion(_look_ahead(channels), Audio(Fraction(48000), channels))
    made = _through(found, audio, sorted(min(cut, frames) for cut in cuts))
    np.testing.assert_array_equal(made, audio)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(RATES), st.integers(1, 6000), st.integers(1, 2))
def test_resampled_blocks_align_with_the_resampled_file(
    rate: int, frames: int, channels: int
) -> None:
    """Within the plan and in front of it; shorter than a block, and longer."""
    audio = _noise(frames, channels)
    source = Audio(Fraction(rate), channels)
    made = _through(plan_conversion(_look_ahead(1), source), audio, [frames // 2])
    mono = audio.mean(0)
    expected = mono if rate == 48000 else soxr.resample(mono, rate, 48000, "VHQ")
    assert made.shape == (1, round(Fraction(frames * 48000, rate)))
    shared = min(made.shape[1], len(expected))
    assert_close(made[0, :shared], expected[:shared], SAMPLES)


def test_file_of_exactly_one_block() -> None:
    audio = _noise(480, 1)
    found = plan_conversion(_look_ahead(1), Audio(Fraction(48000), 1))
    np.testing.assert_array_equal(_through(found, audio, []), audio)


def test_taps_receive_the_silence_at_the_end() -> None:
    plan = plan_conversion(_look_ahead(1), Audio(Fraction(48000), 1)).plan
    heard: list[np.ndarray] = []
    keep: Callable[..., None] = lambda port, ticks: heard.extend(ticks)  # noqa: E731
    with plan.session(warm_up=False) as session:
        link = LatencyCompensator(session, ["limit"], keep)
        made = [link.push(_noise(700, 1)), *link.finish(700)]
    assert sum(piece.shape[1] for piece in made) == 700
    assert len(heard) == 2
    np.testing.assert_array_equal(
        np.concatenate(heard, axis=2)[0, :, plan.latency_out :][:, :700],
        np.concatenate(made, axis=1),
    )


def _noise(frames: int, channels: int) -> np.ndarray:
    rows = [random.normal(0, "test", c, 0, frames) for c in range(channels)]
    return (0.1 * np.stack(rows)).astype(np.float32)
