"""Discriminators of an adversarial training: spectrograms in several resolutions, hinge loss.

Sources: W. Jang et al., "UnivNet: a neural vocoder with multi-resolution spectrogram
discriminators", Interspeech 2021; hinge loss: J. H. Lim and J. C. Ye, "Geometric GAN", 2017;
feature matching: K. Kumar et al., "MelGAN", NeurIPS 2019.
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
_CHANNELS = (12, 16, 20, 24)
_SLOPE = 0.1
_FLOOR = 1e-3


class Discriminators(nn.Module):
    """One discriminator for each resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.each = nn.ModuleList(_Discriminator(size, hop) for size, hop in RESOLUTIONS)

    def forward(self, audio: torch.Tensor) -> list[list[torch.Tensor]]:
        """Audio ``[pieces, samples]`` -> for each discriminator the outputs of its layers.

        The last output is its score: above 0 if it takes the audio for real speech.
        """
        return [each(audio) for each in self.each]


class _Discriminator(nn.Module):
    def __init__(self, size: int, hop: int) -> None:
        super().__init__()
        self.size, self.hop = size, hop
        channels = (1, *_CHANNELS)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (7, 3), (3, 1), (3, 1)))
            for before, after in pairwise(channels)
        )
        self.verdict = weight_norm(nn.Conv2d(channels[-1], 1, 3, padding=1))

    def forward(self, audio: torch.Tensor) -> list[torch.Tensor]:
        spectrum = torch.log(magnitude(audio, self.size, self.hop) / self.size**0.5 + _FLOOR)
        x = spectrum[:, None]
        outputs: list[torch.Tensor] = []
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), _SLOPE)
            outputs.append(x)
        return [*outputs, self.verdict(x)]


def discriminator_loss(
    real: list[list[torch.Tensor]], synthesized: list[list[torch.Tensor]]
) -> torch.Tensor:
    """Hinge loss of the discriminators: scores of real speech above 1, of synthesized below -1."""
    terms = [
        (1 - ours[-1]).clamp_min(0).mean() + (1 + theirs[-1]).clamp_min(0).mean()
        for ours, theirs in zip(real, synthesized, strict=True)
    ]
    return torch.stack(terms).mean()


def generator_loss(synthesized: list[list[torch.Tensor]]) -> torch.Tensor:
    """Adversarial loss of the generator: the negative mean score of synthesized speech."""
    return -torch.stack([theirs[-1].mean() for theirs in synthesized]).mean()


def feature_matching_loss(
    real: list[list[torch.Tensor]], synthesized: list[list[torch.Tensor]]
) -> torch.Tensor:
    """Mean absolute difference of the layers' outputs, relative to those of real speech."""
    terms = [
        (ours - theirs).abs().mean() / ours.abs().mean().clamp_min(1e-6)
        for owns, mades in zip(real, synthesized, strict=True)
        for ours, theirs in zip(owns[:-1], mades[:-1], strict=True)
    ]
    return torch.stack(terms).mean()
