"""Spectra of real frames, and the same in real arithmetic, for exported networks.

Runtimes other than PyTorch have no complex numbers, and a Fourier transform of their own only in
part. There a transform is a product with cosines and sines.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import nn


class PowerSpectrum(nn.Module):
    """The power of frames under a periodic Hann window; always float32.

    Args:
        size: samples in a frame.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """float32 ``[..., size]`` -> ``[..., size // 2 + 1]``."""
        spectra = torch.fft.rfft(frames * hann_window(self.size, frames.device))
        return spectra.real.square() + spectra.imag.square()


class PortablePowerSpectrum(nn.Module):
    """The same in real arithmetic; replaces the one given."""

    def __init__(self, plain: PowerSpectrum) -> None:
        super().__init__()
        self.transform = RealTransform(plain.size, hann_window(plain.size, torch.device("cpu")))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """As :class:`PowerSpectrum`."""
        real, imaginary = self.transform(frames)
        return real.square() + imaginary.square()


class RealTransform(nn.Module):
    """The Fourier transform of real values, and its inverse, as products with cosines and sines.

    Angles are computed from ``n k mod size`` in float64, so that every entry is rounded once.

    Args:
        size: of the transform, even.
        window: factors of the values before the transform, ``[up to size]``; the rest of longer
            transforms are zeros. None has none.
    """

    cosines: torch.Tensor
    sines: torch.Tensor

    def __init__(self, size: int, window: torch.Tensor | None = None) -> None:
        super().__init__()
        self.size = size
        turns = torch.outer(torch.arange(size), torch.arange(size // 2 + 1)) % size
        angles = turns.double() * (2 * math.pi / size)
        factors = None if window is None else window.double()[:, None]
        for name, table in (("cosines", angles.cos()), ("sines", -angles.sin())):
            made = table if factors is None else table[: len(factors)] * factors
            self.register_buffer(name, made.float().contiguous(), persistent=False)

    def forward(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Real and imaginary part of ``torch.fft.rfft(values * window, size)``.

        ``[..., n]`` -> ``[..., size // 2 + 1]`` each; ``n`` is the length of the window, or at most
        ``size`` without one.
        """
        count = values.shape[-1]
        return values @ self.cosines[:count], values @ self.sines[:count]


class InverseTransform(nn.Module):
    """The inverse of the transform of real values.

    Args:
        size: of the transform, even.
        count: values that are wanted, from the first on; None is all.
    """

    cosines: torch.Tensor
    sines: torch.Tensor

    def __init__(self, size: int, count: int | None = None) -> None:
        super().__init__()
        wanted = torch.arange(size if count is None else count)
        turns = torch.outer(torch.arange(size // 2 + 1), wanted) % size
        angles = turns.double() * (2 * math.pi / size)
        shares = torch.full((size // 2 + 1, 1), 2 / size, dtype=torch.float64)
        shares[0] = shares[-1] = 1 / size
        for name, table in (("cosines", angles.cos()), ("sines", -angles.sin())):
            self.register_buffer(name, (table * shares).float(), persistent=False)

    def forward(self, real: torch.Tensor, imaginary: torch.Tensor | None) -> torch.Tensor:
        """``torch.fft.irfft(complex(real, imaginary), size)``; None is no imaginary part.

        ``[..., size // 2 + 1]`` each -> ``[..., count]``.
        """
        found = real @ self.cosines
        return found if imaginary is None else found + imaginary @ self.sines


@functools.lru_cache(maxsize=32)
def hann_window(size: int, device: torch.device) -> torch.Tensor:
    """A periodic Hann window, float32 ``[size]``."""
    with torch.inference_mode(False):  # a cached constant may be used outside of inference mode
        return torch.hann_window(size, device=device)
