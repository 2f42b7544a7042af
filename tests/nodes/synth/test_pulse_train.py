"""The pulse train: its harmonics, power, continuous phase, and quiet ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.nodes.synth.pulse_train import pulse_train

from ...tolerance import assert_close, rounding

pytestmark = pytest.mark.numeric

HOP, RATE = 240, 24000


def _train(f0: list[float], phase: float = 0.0) -> np.ndarray:
    contour = torch.tensor([f0], dtype=torch.float64)
    begin = torch.tensor([phase], dtype=torch.float64)
    return pulse_train(contour, begin, HOP, RATE)[0][0].numpy()


def test_is_the_sum_of_cosines() -> None:
    f0 = 230.0
    found = _train([f0] * 5, 0.3)
    phase = 0.3 + f0 * np.arange(4 * HOP) / RATE
    count = 0.96 * RATE / 2 / f0
    whole = int(count)
    summed = sum(np.cos(2 * np.pi * h * phase) for h in range(1, whole + 1))
    summed = summed + (count - whole) * np.cos(2 * np.pi * (whole + 1) * phase)
    assert_close(found, summed * np.sqrt(2 / count), rounding(100))


@pytest.mark.parametrize("f0", [40.0, 120.0, 200.0, 555.0])
def test_power_is_one(f0: float) -> None:
    assert np.mean(_train([f0] * 101) ** 2) == pytest.approx(1, abs=0.05)


def test_nothing_lies_above_half_the_sample_rate() -> None:
    """A glide whose harmonics would fold back shows nothing between its harmonics."""
    found = _train([300.0] * 101)
    spectrum = np.abs(np.fft.rfft(found * np.hanning(len(found))))
    hertz = np.fft.rfftfreq(len(found), 1 / RATE)
    between = np.abs((hertz + 150) % 300 - 150) > 30
    assert spectrum[between].max() < 1e-3 * spectrum.max()


@given(
    f0=st.lists(st.one_of(st.just(0.0), st.floats(50, 600)), min_size=4, max_size=12),
    cut=st.integers(1, 10),
)
@settings(max_examples=40)
def test_in_two_parts_it_is_the_same(f0: list[float], cut: int) -> None:
    cut = min(cut, len(f0) - 2)
    whole = _train(f0)
    contour = torch.tensor([f0], dtype=torch.float64)
    _, passed = pulse_train(contour, torch.zeros(1, dtype=torch.float64), HOP, RATE)
    parts = [_train(f0[: cut + 1]), _train(f0[cut:], float(passed[0, cut - 1]))]
    parts = np.concatenate(parts)
    assert_close(parts, whole, rounding(100))


def test_unvoiced_is_silent_and_ends_fade() -> None:
    found = _train([0.0, 0.0, 0.0, 200.0, 200.0, 0.0, 0.0])
    assert not found[: 2 * HOP].any()
    assert not found[5 * HOP :].any()
    assert abs(found[2 * HOP]) < 1e-6
    assert np.abs(found[3 * HOP : 4 * HOP]).max() > 1


def test_harmonics_come_and_go_without_a_step() -> None:
    """Where F0 moves so that one more fits, the train changes by as little as before."""
    found = [_train([f0] * 2, 0.37) for f0 in np.linspace(199.0, 201.0, 81)]
    steps = np.abs(np.diff(found, axis=0)).max(1)
    assert steps.max() < 4 * np.median(steps)
