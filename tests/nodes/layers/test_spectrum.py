"""Fourier transforms in real arithmetic."""

from __future__ import annotations

import pytest
import torch

from voicegraph.nodes.layers.spectrum import (
    InverseTransform,
    PortablePowerSpectrum,
    PowerSpectrum,
    RealTransform,
)

from ...tolerance import FFT, assert_close

pytestmark = pytest.mark.numeric
SIZES = [6, 26, 400, 1024]
"""A prime factor, an odd one, and powers of two are among them."""


def _values(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", SIZES)
def test_transform_is_that_of_real_values(size: int) -> None:
    values = _values(2, 3, size)
    real, imaginary = RealTransform(size)(values)
    expected = torch.fft.rfft(values)
    assert_close(real, expected.real, FFT)
    assert_close(imaginary, expected.imag, FFT)


def test_window_is_applied_and_the_rest_are_zeros() -> None:
    values, window = _values(2, 30), _values(30)
    real, imaginary = RealTransform(64, window)(values)
    expected = torch.fft.rfft(values * window, 64)
    assert_close(real, expected.real, FFT)
    assert_close(imaginary, expected.imag, FFT)


@pytest.mark.parametrize("size", SIZES)
def test_inverse_gives_the_values_back(size: int) -> None:
    values = _values(3, size)
    assert_close(InverseTransform(size)(*RealTransform(size)(values)), values, FFT)


def test_inverse_takes_a_spectrum_without_an_imaginary_part() -> None:
    real = _values(2, 33)
    assert_close(InverseTransform(64)(real, None), torch.fft.irfft(real, 64), FFT)


def test_power_is_the_same_in_real_arithmetic() -> None:
    plain, frames = PowerSpectrum(400), _values(5, 400)
    assert_close(PortablePowerSpectrum(plain)(frames), plain(frames), FFT)
