"""The U-Net of RMVPE: residual convolutions over ``[batch, channels, frames, mels]``.

Modules are named as the tensors in published files. For sources see ``_rmvpe_network``.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn


class Residual(nn.Module):
    """Two 3 x 3 convolutions with a residual connection; ``[batch, channels, frames, mels]``."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same frames and mels."""
        return self.conv(x) + (x if self.shortcut is None else self.shortcut(x))


class Down(nn.Module):
    """Residual blocks; the encoder halves frames and mels after them."""

    def __init__(self, inputs: int, outputs: int, blocks: int) -> None:
        super().__init__()
        widths = [inputs] + [outputs] * blocks
        self.conv = nn.ModuleList(Residual(a, b) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same frames and mels."""
        for block in self.conv:
            x = block(x)
        return x


class Up(nn.Module):
    """Upsampling by 2, concatenation with a skip connection, residual blocks."""

    def __init__(self, inputs: int, outputs: int, blocks: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )
        widths = [2 * outputs] + [outputs] * blocks
        self.conv2 = nn.ModuleList(Residual(a, b) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor, skips: torch.Tensor) -> torch.Tensor:
        """Twice the frames and mels."""
        x = torch.cat((self.conv1(x), skips), 1)
        for block in self.conv2:
            x = block(x)
        return x


class Encoder(nn.Module):
    """The contracting path; keeps the output of each layer for the skip connections."""

    def __init__(self, channels: int, layers: int, blocks: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(1)
        widths = [1] + [channels * 2**i for i in range(layers)]
        self.layers = nn.ModuleList(Down(a, b, blocks) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The output of the last layer, and the skip connections of all layers."""
        x = self.bn(x)
        skips = []
        for layer in self.layers:
            made = layer(x)
            skips.append(made)
            x = nn.functional.avg_pool2d(made, 2)
        return x, skips


class Bottleneck(nn.Module):
    """The layers at the lowest resolution."""

    def __init__(self, width: int, inner: int, blocks: int) -> None:
        super().__init__()
        widths = [width // 2] + [width] * inner
        self.layers = nn.ModuleList(Down(a, b, blocks) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same frames and mels."""
        for layer in self.layers:
            x = layer(x)
        return x


class Decoder(nn.Module):
    """The expanding path."""

    def __init__(self, channels: int, layers: int, blocks: int) -> None:
        super().__init__()
        widths = [channels * 2**i for i in range(layers, -1, -1)]
        self.layers = nn.ModuleList(Up(a, b, blocks) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor, skips: list[torch.Tensor]) -> torch.Tensor:
        """Back to all frames and mels."""
        for layer, made in zip(self.layers, reversed(skips), strict=True):
            x = layer(x, made)
        return x


class DeepUnet(nn.Module):
    """Encoder, inner layers, decoder."""

    def __init__(self, channels: int, layers: int, inner: int, blocks: int) -> None:
        super().__init__()
        self.encoder = Encoder(channels, layers, blocks)
        self.intermediate = Bottleneck(channels * 2**layers, inner, blocks)
        self.decoder = Decoder(channels, layers, blocks)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, 1, frames, mels]`` -> ``[batch, channels, frames, mels]``."""
        x, skips = self.encoder(x)
        return self.decoder(self.intermediate(x), skips)
