"""Time-varying minimum-phase filters, by overlap-add."""

from __future__ import annotations

import functools

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.spectrum import InverseTransform, RealTransform

Frames = tuple[torch.Tensor, torch.Tensor]


def minimum_phase(log_magnitude: torch.Tensor) -> torch.Tensor:
    """The minimum-phase spectrum with a given magnitude.

    Natural logarithms ``[..., bins]`` -> complex ``[..., bins]``. The cepstrum of the logarithm is
    folded onto its causal half.

    Source: A. V. Oppenheim and R. W. Schafer, "Discrete-time signal processing", section 13.
    """
    size = 2 * (log_magnitude.shape[-1] - 1)
    cepstrum = torch.fft.irfft(log_magnitude, size)
    folded = cepstrum[..., : size // 2 + 1] * _fold(size, cepstrum.device, cepstrum.dtype)
    exponent = torch.fft.rfft(folded, size)
    # Several times as fast as the exponential of complex numbers.
    return torch.polar(exponent.real.exp(), exponent.imag)


@functools.lru_cache(maxsize=32)
def _fold(size: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """Weights of the causal half of a cepstrum, ``[size / 2 + 1]``."""
    with torch.inference_mode(False):  # a cached constant may be used outside of inference mode
        weights = torch.full((size // 2 + 1,), 2.0, device=device, dtype=dtype)
        weights[0] = weights[-1] = 1.0
    return weights


@functools.lru_cache(maxsize=32)
def _window(size: int, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    with torch.inference_mode(False):
        return torch.hann_window(size, device=device, dtype=dtype)


def filter_frames(sources: torch.Tensor, log_magnitude: torch.Tensor, hop: int) -> torch.Tensor:
    """Windows the sources into frames, filters each frame, and sums over the sources.

    Args:
        sources: ``[streams, sources, samples]``, ``frames + 1`` hops: a frame covers two of them.
        log_magnitude: natural logarithms ``[streams, frames, sources, bins]``.
        hop: samples from frame to frame; windows are twice as long, and sum to 1.

    Returns:
        ``[streams, frames, 2 (bins - 1)]``: the response of each frame from its beginning on.
    """
    window = _window(2 * hop, sources.device, sources.dtype)
    frames = sources.unfold(2, 2 * hop, hop).transpose(1, 2) * window
    size = 2 * (log_magnitude.shape[-1] - 1)
    spectrum = torch.fft.rfft(frames, size) * minimum_phase(log_magnitude)
    return torch.fft.irfft(spectrum.sum(2), size)


class PortableFrameFilter(nn.Module):
    """:func:`filter_frames` in real arithmetic, for exported networks.

    Args:
        size: ``2 (bins - 1)``.
        hop: samples from frame to frame.
    """

    fold: torch.Tensor

    def __init__(self, size: int, hop: int) -> None:
        super().__init__()
        cpu = torch.device("cpu")
        self.spectrum, self.inverse = RealTransform(size), InverseTransform(size)
        self.window = nn.Buffer(_window(2 * hop, cpu, torch.float32).clone(), persistent=False)
        self.fold = nn.Buffer(_fold(size, cpu, torch.float32).clone(), persistent=False)

    def forward(self, sources: torch.Tensor, log_magnitude: torch.Tensor, hop: int) -> torch.Tensor:
        """As :func:`filter_frames`."""
        half = self.fold.shape[0]
        cepstrum = self.inverse(log_magnitude, None)[..., :half]
        exponent, angle = self.spectrum(cepstrum * self.fold)
        magnitude = exponent.exp()
        a, b = magnitude * angle.cos(), magnitude * angle.sin()
        frames = sources.unfold(2, 2 * hop, hop).transpose(1, 2) * self.window
        c, d = self.spectrum(frames)
        return self.inverse((a * c - b * d).sum(2), (a * d + b * c).sum(2))


def tail_hops(size: int, hop: int) -> int:
    """Hops that a frame of ``size`` samples extends beyond its first."""
    return -(-size // hop) - 1


def overlap_add(frames: torch.Tensor, hop: int, tail: torch.Tensor | None = None) -> Frames:
    """Adds frames at a distance of ``hop``.

    Args:
        frames: ``[streams, frames, size]``.
        hop: samples from frame to frame.
        tail: ``[streams, tail_hops * hop]``, overlap of earlier frames; None for zeros.

    Returns:
        ``[streams, frames * hop]``, and the tail of these.
    """
    streams, count, size = frames.shape
    after = tail_hops(size, hop)
    parts = functional.pad(frames, (0, (after + 1) * hop - size)).view(streams, count, -1, hop)
    if tail is None:
        whole = frames.new_zeros(streams, count + after, hop)
    else:
        whole = functional.pad(tail, (0, count * hop)).view(streams, count + after, hop)
    for k in range(after + 1):  # each hop of a frame at its position
        whole[:, k : k + count] += parts[:, :, k]
    whole = whole.flatten(1)
    return whole[:, : count * hop], whole[:, count * hop :]
