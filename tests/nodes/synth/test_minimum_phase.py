"""Filters of minimum phase, and frames that overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.signal import freqz

from voicegraph.nodes.synth._minimum_phase import (
    filter_frames,
    minimum_phase,
    overlap_add,
    tail_hops,
)

from ...tolerance import FFT, assert_close

pytestmark = pytest.mark.numeric

BINS = 513


def _envelope() -> torch.Tensor:
    """Logarithms of the magnitude of a filter of minimum phase, with two resonances."""
    return torch.from_numpy(np.log(np.abs(_response())))


def _response() -> np.ndarray:
    above, below = _resonances()
    found: Any = freqz(above, below, BINS, include_nyquist=True)  # pyright: ignore[reportArgumentType]
    return found[1]


def _resonances() -> tuple[np.ndarray, np.ndarray]:
    poles = [0.95 * np.exp(0.3j), 0.9 * np.exp(1.1j)]
    zeros = [0.6 * np.exp(2.0j)]
    denominator = np.poly([*poles, *np.conj(poles)]).real
    return np.poly([*zeros, *np.conj(zeros)]).real, denominator


def test_finds_the_filter_again() -> None:
    assert_close(minimum_phase(_envelope()).numpy(), _response(), FFT)


def test_keeps_the_magnitude_and_is_causal() -> None:
    smooth = torch.from_numpy(np.random.default_rng(1).standard_normal(40)).cumsum(0) * 0.3
    envelope = torch.nn.functional.interpolate(smooth[None, None], BINS, mode="linear")[0, 0]
    found = minimum_phase(envelope)
    assert_close(found.abs(), envelope.exp(), FFT)
    response = torch.fft.irfft(found, 1024)
    late = response[512:].square().sum() / response.square().sum()
    assert late < 1e-3


def test_its_energy_comes_first() -> None:
    """Of all filters of one magnitude, that of minimum phase has the most energy at any time."""
    envelope = _envelope()
    ours = torch.fft.irfft(minimum_phase(envelope), 1024).square().cumsum(0)
    zero = torch.fft.irfft(envelope.exp().to(torch.complex128), 1024).roll(512).square().cumsum(0)
    assert (ours >= zero - 1e-9).all()


def test_flat_envelopes_give_back_the_source() -> None:
    source = torch.randn(2, 2, 11 * 240, generator=torch.Generator().manual_seed(1))
    gains = torch.tensor((0.0, float(np.log(0.5))))
    frames = filter_frames(source, gains[None, None, :, None].expand(2, 10, 2, BINS), 240)
    made, _ = overlap_add(frames, 240)
    wanted = source[:, 0] + 0.5 * source[:, 1]
    assert_close(made[:, 240:], wanted[:, 240 : 10 * 240], FFT)


@pytest.mark.parametrize("cut", [1, 3, 9])
def test_the_tail_goes_on(cut: int) -> None:
    frames = torch.randn(1, 10, 1024, generator=torch.Generator().manual_seed(1))
    whole, tail = overlap_add(frames, 240)
    first, kept = overlap_add(frames[:, :cut], 240)
    second, last = overlap_add(frames[:, cut:], 240, kept)
    assert kept.shape[1] == tail_hops(1024, 240) * 240
    assert_close(torch.cat((first, second), 1), whole, FFT)
    assert_close(last, tail, FFT)
