"""Spectra of real frames, and the same in real arithmetic, for exported networks.

Runtimes other than PyTorch have no complex numbers, and a Fourier transform of their own only in
part. There a transform is made of products with cosines and sines.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import nn
from torch.nn import functional


class PowerSpectrum(nn.Module):
    """The power of frames under a periodic Hann window; always float32.

    Args:
        size: samples in a frame.
        fft: size of the transform, if zeros follow the frame.
    """

    def __init__(self, size: int, fft: int | None = None) -> None:
        super().__init__()
        self.size, self.fft = size, fft or size

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """float32 ``[..., size]`` -> ``[..., fft // 2 + 1]``."""
        spectra = torch.fft.rfft(frames * hann_window(self.size, frames.device), self.fft)
        return spectra.real.square() + spectra.imag.square()


class PortablePowerSpectrum(nn.Module):
    """The same in real arithmetic; replaces the one given."""

    def __init__(self, plain: PowerSpectrum) -> None:
        super().__init__()
        self.transform = RealTransform(plain.fft, hann_window(plain.size, torch.device("cpu")))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """As :class:`PowerSpectrum`."""
        real, imaginary = self.transform(frames)
        return real.square() + imaginary.square()


class RealTransform(nn.Module):
    """The Fourier transform of real values in real arithmetic.

    Args:
        size: of the transform, even.
        window: factors of the values before the transform, ``[up to size]``; the rest of longer
            transforms are zeros. None has none.
    """

    def __init__(self, size: int, window: torch.Tensor | None = None) -> None:
        super().__init__()
        self.size = size
        self.stages = _Stages(size, -1)
        self.window = None if window is None else nn.Buffer(window.clone(), persistent=False)

    def forward(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Real and imaginary part of ``torch.fft.rfft(values * window, size)``.

        ``[..., n]`` -> ``[..., size // 2 + 1]`` each; ``n`` is the length of the window, or at most
        ``size`` without one.
        """
        values = values if self.window is None else values * self.window
        padded = functional.pad(values, (0, self.size - values.shape[-1]))
        real, imaginary = self.stages(padded, None)
        count = self.size // 2 + 1
        return real[..., :count], imaginary[..., :count]


class InverseTransform(nn.Module):
    """The inverse of the transform of real values, in real arithmetic.

    Args:
        size: of the transform, even.
    """

    shares: torch.Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.stages = _Stages(size, 1)
        # Values between the first and the last stand for their conjugates, too.
        shares = torch.full((size // 2 + 1,), 2 / size)
        shares[0] = shares[-1] = 1 / size
        self.register_buffer("shares", shares, persistent=False)

    def forward(self, real: torch.Tensor, imaginary: torch.Tensor | None) -> torch.Tensor:
        """``torch.fft.irfft(complex(real, imaginary), size)``; None is no imaginary part.

        ``[..., size // 2 + 1]`` each -> ``[..., size]``.
        """
        missing = (0, self.size // 2 - 1)
        real = functional.pad(real * self.shares, missing)
        if imaginary is not None:
            imaginary = functional.pad(imaginary * self.shares, missing)
        return self.stages(real, imaginary)[0]


class _Stages(nn.Module):
    """A complex Fourier transform as two smaller ones and the rotations between them.

    J. W. Cooley and J. W. Tukey, "An algorithm for the machine calculation of complex Fourier
    series", Math. Comp. 19, 1965. With ``size = rows * columns``, about its square root each, the
    tables are small, and each value is a sum of ``rows + columns`` products instead of ``size``.

    Args:
        size: of the transform.
        sign: of the exponent.
    """

    def __init__(self, size: int, sign: int) -> None:
        super().__init__()
        self.rows = next(n for n in range(math.isqrt(size), 0, -1) if size % n == 0)
        self.columns = size // self.rows
        first, second = torch.arange(self.rows), torch.arange(self.columns)
        tables = {
            "first": (torch.outer(first, first), self.rows),
            "turn": (torch.outer(second, first), size),
            "second": (torch.outer(second, second), self.columns),
        }
        for name, (products, turns) in tables.items():
            angles = (products % turns).double() * (2 * math.pi / turns)
            for part, table in (("cosine", angles.cos()), ("sine", sign * angles.sin())):
                self.register_buffer(f"{name}_{part}", table.float(), persistent=False)

    def forward(
        self, real: torch.Tensor, imaginary: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``[..., size]`` each -> ``[..., size]`` each; None is no imaginary part."""
        split = (self.rows, self.columns)
        real = real.unflatten(-1, split).transpose(-1, -2)
        if imaginary is not None:
            imaginary = imaginary.unflatten(-1, split).transpose(-1, -2)
        real, imaginary = self._product("first", real, imaginary)
        cosine, sine = self._table("turn")
        turned = real * cosine - imaginary * sine
        imaginary = real * sine + imaginary * cosine
        real, imaginary = self._product(
            "second", turned.transpose(-1, -2), imaginary.transpose(-1, -2)
        )
        return real.transpose(-1, -2).flatten(-2), imaginary.transpose(-1, -2).flatten(-2)

    def _table(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        return self.get_buffer(f"{name}_cosine"), self.get_buffer(f"{name}_sine")

    def _product(
        self, name: str, real: torch.Tensor, imaginary: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        cosine, sine = self._table(name)
        if imaginary is None:
            return real @ cosine, real @ sine
        return real @ cosine - imaginary @ sine, real @ sine + imaginary @ cosine


@functools.lru_cache(maxsize=32)
def hann_window(size: int, device: torch.device) -> torch.Tensor:
    """A periodic Hann window, float32 ``[size]``."""
    with torch.inference_mode(False):  # a cached constant may be used outside of inference mode
        return torch.hann_window(size, device=device)
