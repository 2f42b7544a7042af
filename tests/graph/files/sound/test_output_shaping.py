"""Channels and rate of an output: the length is exact, and pieces make no difference."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import soxr
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.files.sound._output_shaping import OutputShaper
from voicegraph.graph.signals import Audio


def _shaped(samples: np.ndarray, source: Audio, target: Audio, cuts: list[int]) -> np.ndarray:
    shaper = OutputShaper(source, target)
    bounds = [0, *sorted(min(cut, samples.shape[1]) for cut in cuts), samples.shape[1]]
    parts = [shaper.push(samples[:, begin:end]) for begin, end in pairwise(bounds)]
    total = round(samples.shape[1] * target.rate / source.rate)
    return np.concatenate([*parts, *shaper.finish(total)], axis=1)


@given(
    frames=st.integers(1, 6000),
    rates=st.sampled_from([(48000, 44100), (40000, 48000), (16000, 48000), (48000, 48000)]),
    channels=st.sampled_from([(1, 1), (1, 2), (2, 1), (2, 2), (6, 1)]),
    cuts=st.lists(st.integers(0, 6000), max_size=4),
)
def test_length_is_exact_however_samples_arrive(
    frames: int, rates: tuple[int, int], channels: tuple[int, int], cuts: list[int]
) -> None:
    source, target = (
        Audio(Fraction(rate), count) for rate, count in zip(rates, channels, strict=True)
    )
    samples = np.random.default_rng(0).standard_normal((channels[0], frames)).astype(np.float32)
    made = _shaped(samples, source, target, cuts)
    assert made.shape == (channels[1], round(frames * target.rate / source.rate))
    np.testing.assert_allclose(made, _shaped(samples, source, target, []), atol=1e-5)


def test_resampled_output_is_that_of_soxr() -> None:
    samples = np.random.default_rng(0).standard_normal((1, 48_000)).astype(np.float32)
    made = _shaped(samples, Audio(Fraction(48000), 1), Audio(Fraction(44100), 1), [1000])
    np.testing.assert_allclose(made[0], soxr.resample(samples[0], 48000, 44100, "VHQ"), atol=1e-4)
