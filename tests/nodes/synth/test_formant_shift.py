"""Formant shift: sizes, and resampling back."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.nodes.synth._formant_shift import FormantShift, resample

from ...tolerance import INAUDIBLE, assert_close

pytestmark = pytest.mark.numeric

CROSSINGS, ROLLOFF = 6, 0.99


def _direct(audio: np.ndarray, old: int, new: int) -> np.ndarray:
    """Every output sample by itself: the windowed sinc at its own place, in float64."""
    common = math.gcd(old, new)
    old, new = old // common, new // common
    cutoff = min(old, new) * ROLLOFF
    width = math.ceil(CROSSINGS * old / cutoff)
    made = np.zeros(-(-len(audio) * new // old))
    for n in range(len(made)):
        step, phase = divmod(n, new)
        # The filter of a phase reaches from `width` before its step to `width` after its end.
        where = np.arange(step * old - width, step * old + width + old)
        inside = where[(where >= 0) & (where < len(audio))]
        t = ((inside - step * old) / old - phase / new) * cutoff
        t = np.clip(t, -CROSSINGS, CROSSINGS)
        weight = np.sinc(t) * np.cos(t * np.pi / CROSSINGS / 2) ** 2 * cutoff / old
        made[n] = weight @ audio[inside]
    return made


@settings(max_examples=25)
@given(
    old=st.integers(30, 120),
    new=st.integers(30, 120),
    count=st.integers(1, 300),
    seed=st.integers(0, 99),
)
def test_resampling_is_the_direct_formula(old: int, new: int, count: int, seed: int) -> None:
    audio = np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)
    found = resample(torch.from_numpy(audio)[None, None], old, new)
    assert found.dtype is torch.float32
    assert_close(found[0, 0], _direct(audio, old, new), INAUDIBLE)


@pytest.mark.parametrize("rate", [32000, 40000, 48000])
@pytest.mark.parametrize("semitones", [-12.0, -3.0, -0.1, 0.0, 0.1, 1.7, 12.0])
def test_the_length_is_what_was_wanted(rate: int, semitones: float) -> None:
    stretch = FormantShift.of(semitones, 30, rate)
    decoded = torch.zeros(2, 1, stretch.frames * stretch.frame)
    assert stretch.restore_length(decoded).shape == (2, 1, 30 * rate // 100)


def test_sizes_are_the_references() -> None:
    # 2^(2/12) = 1.12246: ceil(30 * that), floor(that * 400)
    assert FormantShift.of(2.0, 30, 40000) == FormantShift(34, 30, 448, 400)
    assert FormantShift.of(-2.0, 30, 40000) == FormantShift(27, 30, 356, 400)
    assert FormantShift.of(0.0, 30, 40000) == FormantShift(30, 30, 400, 400)


def test_formants_go_up() -> None:
    """A tone that was decoded at 1000 Hz comes back at 1000 * 2^(s / 12)."""
    stretch = FormantShift.of(5.0, 100, 16000)
    time = torch.arange(stretch.frames * 160) / 16000
    made = stretch.restore_length(torch.sin(2 * torch.pi * 1000 * time)[None, None])[0, 0]
    peak = int(torch.fft.rfft(made * torch.hann_window(len(made))).abs().argmax())
    assert peak * 16000 / len(made) == pytest.approx(1000 * stretch.step / 160, abs=2)


def test_a_kernel_made_in_a_session_serves_outside_of_it() -> None:
    audio = torch.randn(1, 1, 500)
    with torch.inference_mode():
        inside = resample(audio, 97, 89)
    assert torch.equal(inside, resample(audio.clone().requires_grad_(True), 97, 89))
