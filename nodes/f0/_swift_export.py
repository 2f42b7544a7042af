"""SwiftF0 as an exported network: audio to pitch and confidence, all frames at once.

Inputs and outputs are named as in the file ``model.onnx`` of the package swift-f0, so that programs
which load that one load this one.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.f0.swift_network import (
    FLOOR,
    HOP,
    PITCHES,
    SEEN,
    SILENT_PEAK,
    SLACK,
    WINDOWS,
    SwiftNetwork,
)
from voicegraph.nodes.layers.spectrum import RealTransform


class PortableSwift(nn.Module):
    """The network in real arithmetic, and what reads pitch and confidence off its scores.

    Args:
        network: plain.
    """

    def __init__(self, network: SwiftNetwork) -> None:
        super().__init__()
        self.network = network
        windows = [getattr(network.bands, f"window{size}") for size in WINDOWS]
        transforms = (RealTransform(len(window), window) for window in windows)
        self.transforms = nn.ModuleList(transforms)
        for size, share in zip(WINDOWS, network.bands.matrices(), strict=True):
            self.register_buffer(f"bands{size}", share, persistent=False)

    def forward(
        self, audio: torch.Tensor, fmin: torch.Tensor, fmax: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``[1, samples]`` at 16 kHz -> pitch in Hz and confidence, ``[1, samples // 256]`` each.

        ``fmin`` and ``fmax``, of no axis, are the ends of the search range in Hz.
        """
        network, count = self.network, audio.shape[1] // HOP
        image = self._spectra(audio, count)
        x = network.first(image)
        for block in network.blocks:
            x = block(x)
        seen = network.head(x[:, :, :SEEN])[:, :, :PITCHES]
        scores = network.pitch(seen)[..., 0]
        voicing = network.voicing_scores(network.peaks(seen).amax(2), image).sigmoid()
        hertz = network.pitches.exp()
        searched = (hertz >= fmin * (1 - SLACK)) & (hertz <= fmax * (1 + SLACK))
        peaks = audio[:, : count * HOP].unflatten(1, (count, HOP)).abs().amax(2)
        known = searched[scores.argmax(2)] & (peaks >= SILENT_PEAK)
        return self._pitch(scores, searched), torch.where(known, voicing, 0.0)

    def _spectra(self, audio: torch.Tensor, count: int) -> torch.Tensor:
        """Logarithms of the spectra in bands, ``[1, count, 128, 3]``."""
        widest = max(WINDOWS) // 2
        padded = functional.pad(audio, (widest, widest))
        made = []
        for size, transform in zip(WINDOWS, self.transforms, strict=True):
            frames = padded[:, widest - size // 2 :].unfold(1, size, HOP)[:, :count]
            real, imaginary = transform(frames)
            magnitude = (real.square() + imaginary.square()).sqrt()
            made.append(magnitude @ self.get_buffer(f"bands{size}"))
        return (torch.stack(made, 3) + FLOOR).log()

    def _pitch(self, scores: torch.Tensor, searched: torch.Tensor) -> torch.Tensor:
        """The mean of the best pitch and its two neighbours, weighted by their scores."""
        masked = torch.where(searched, scores, -math.inf)
        padded = functional.pad(masked, (1, 1), value=-math.inf)
        near = padded.argmax(2, keepdim=True) + torch.arange(-1, 2)
        shares = padded.gather(2, near).softmax(2).double()
        pitches = functional.pad(self.network.pitches, (1, 1))[near]
        return (shares * pitches).sum(2).exp().float()
