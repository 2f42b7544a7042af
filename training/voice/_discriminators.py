"""Critics that learn to tell synthesized speech from the voice's own, in several resolutions.

Source: W. Jang et al., "UnivNet: a neural vocoder with multi-resolution spectrogram
discriminators", Interspeech 2021; hinge loss: J. H. Lim and J. C. Ye, "Geometric GAN", 2017;
distance of features: K. Kumar et al., "MelGAN", NeurIPS 2019.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from ._losses import magnitude

RESOLUTIONS = ((2048, 480), (1024, 240), (512, 120))
"""FFT sizes and hops, in samples at 24 kHz."""
_WIDTHS = (12, 16, 20, 24)
_SLOPE = 0.1
_FLOOR = 1e-3


class Discriminators(nn.Module):
    """One for each resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.ModuleList(_Discriminator(size, hop) for size, hop in RESOLUTIONS)

    def forward(self, audio: torch.Tensor) -> list[list[torch.Tensor]]:
        """``[pieces, samples]`` -> of each the features of its layers and its verdict.

        The verdict comes last; it is above 0 where speech is taken for the voice's own.
        """
        return [each(audio) for each in self.each]


class _Discriminator(nn.Module):
    def __init__(self, size: int, hop: int) -> None:
        super().__init__()
        self.size, self.hop = size, hop
        widths = (1, *_WIDTHS)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (7, 3), (3, 1), (3, 1)))
            for before, after in pairwise(widths)
        )
        self.verdict = weight_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, audio: torch.Tensor) -> list[torch.Tensor]:
        spectrum = torch.log(magnitude(audio, self.size, self.hop) / self.size**0.5 + _FLOOR)
        x = spectrum[:, None]
        found: list[torch.Tensor] = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), _SLOPE)
            found.append(x)
        return [*found, self.verdict(x)]


def critics_loss(own: list[list[torch.Tensor]], made: list[list[torch.Tensor]]) -> torch.Tensor:
    """What discriminators are trained by: own speech above 1, made speech below -1."""
    terms = [
        (1 - ours[-1]).clamp_min(0).mean() + (1 + theirs[-1]).clamp_min(0).mean()
        for ours, theirs in zip(own, made, strict=True)
    ]
    return torch.stack(terms).mean()


def doubt_loss(made: list[list[torch.Tensor]]) -> torch.Tensor:
    """What a synthesizer is trained by: that its speech is taken for the voice's own."""
    return -torch.stack([theirs[-1].mean() for theirs in made]).mean()


def feature_loss(own: list[list[torch.Tensor]], made: list[list[torch.Tensor]]) -> torch.Tensor:
    """Mean distance of the layers' features, by the size of the own speech's."""
    terms = [
        (ours - theirs).abs().mean() / ours.abs().mean().clamp_min(1e-6)
        for owns, mades in zip(own, made, strict=True)
        for ours, theirs in zip(owns[:-1], mades[:-1], strict=True)
    ]
    return torch.stack(terms).mean()
