"""Resampling by some parts per million."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.live._drift_resampler import DriftResampler

from ...tolerance import assert_close, below_full_scale


def test_no_stretch_is_a_bit_exact_delay() -> None:
    audio = np.random.default_rng(0).standard_normal((2, 4800)).astype(np.float32)
    resampler = DriftResampler(2)
    made = np.concatenate([resampler(part, 0.0) for part in np.split(audio, 10, 1)], 1)
    assert np.array_equal(made[:, resampler.delay :], audio[:, : -resampler.delay])


@pytest.mark.parametrize("frequency", [100, 1000, 10000, 18000])
def test_stretched_sine_keeps_its_waveform(frequency: float) -> None:
    rate, stretch = 48000, 3e-4
    audio = np.sin(2 * np.pi * frequency * np.arange(rate) / rate).astype(np.float32)[None]
    resampler = DriftResampler(1)
    first = [resampler(part, 0.0) for part in np.split(audio[:, :4800], 10, 1)]
    then = [resampler(part, stretch) for part in np.split(audio[:, 4800:], 90, 1)]
    made = np.concatenate(first + then, 1)[0]
    at = np.arange(len(made))
    time = np.where(at < 4800, at, 4800 + (at - 4800) / (1 + stretch)) - resampler.delay
    error = made - np.sin(2 * np.pi * frequency * time / rate)
    assert_close(error[50:], 0, below_full_scale(80))  # the images of its short filter


@given(
    st.lists(
        st.tuples(st.integers(1, 600), st.floats(-1e-3, 1e-3)),
        min_size=1,
        max_size=60,
    )
)
def test_output_length_follows_the_stretch(
    blocks: list[tuple[int, float]],
) -> None:
    resampler = DriftResampler(1)
    expected, made = 0.0, 0
    for count, stretch in blocks:
        out = resampler(np.ones((1, count), np.float32), stretch)
        assert np.isfinite(out).all()
        made += out.shape[1]
        expected += count * (1 + stretch)
    assert abs(made - expected) <= 1.5
