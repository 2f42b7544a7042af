"""The text encoder of a voice: content features and pitch bins to mean and spread of the prior.

J. Kim, J. Kong, J. Son, "Conditional variational autoencoder with adversarial learning for
end-to-end text-to-speech" (VITS), ICML 2021.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.convolution import Convolution

from ._attention import Attention

_SLOPE = 0.1
_WINDOW = 10
"""Largest distance in frames with a relative position of its own."""


class LayerNorm(nn.Module):
    """Normalises over channels, the last axis; weights are named as in voice files."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(channels))
        self.beta = nn.Parameter(torch.empty(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, channels]``, the same."""
        return functional.layer_norm(x, self.gamma.shape, self.gamma, self.beta, 1e-5)


class FeedForward(nn.Module):
    """Two zero-padded convolutions with a ReLU between them."""

    def __init__(self, channels: int, inner: int, kernel: int) -> None:
        super().__init__()
        self.margin = ((kernel - 1) // 2, kernel // 2)
        self.conv_1 = nn.Conv1d(channels, inner, kernel)
        self.conv_2 = nn.Conv1d(inner, channels, kernel)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, channels]``, the same."""
        inner = self.conv_1(functional.pad(x.transpose(1, 2), self.margin)).relu_()
        return self.conv_2(functional.pad(inner, self.margin)).transpose(1, 2)


class PackedFeedForward(nn.Module):
    """Replaces a :class:`FeedForward`, with weights packed for oneDNN.

    Args:
        plain: with loaded weights; float32, on the CPU, with an odd kernel.
        dtype: to compute in, and that of the result: float32 or bfloat16.
    """

    def __init__(self, plain: FeedForward, dtype: torch.dtype) -> None:
        super().__init__()
        margin = plain.margin[0]
        first, second = plain.conv_1, plain.conv_2
        self.conv_1 = Convolution(first.weight.to(dtype), first.bias, margin, after="relu")
        self.conv_2 = Convolution(second.weight.to(dtype), second.bias, margin)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, channels]``, the same."""
        return self.conv_2(self.conv_1(x))


def packed_feed_forward(plain: FeedForward, dtype: torch.dtype = torch.float32) -> nn.Module:
    """The packed counterpart; the plain one for even kernels, whose padding differs in front."""
    return PackedFeedForward(plain, dtype) if plain.margin[0] == plain.margin[1] else plain


class Encoder(nn.Module):
    """Transformer layers with post-normalisation."""

    def __init__(self, channels: int, inner: int, heads: int, layers: int, kernel: int) -> None:
        super().__init__()
        self.reach = 2 * (kernel // 2)
        self.attn_layers = nn.ModuleList(Attention(channels, heads, _WINDOW) for _ in range(layers))
        self.norm_layers_1 = nn.ModuleList(LayerNorm(channels) for _ in range(layers))
        self.ffn_layers = nn.ModuleList(FeedForward(channels, inner, kernel) for _ in range(layers))
        self.norm_layers_2 = nn.ModuleList(LayerNorm(channels) for _ in range(layers))

    def forward(self, x: torch.Tensor, first: int) -> torch.Tensor:
        """``[streams, frames, channels]`` -> the same from frame ``first`` on.

        All layers but the last are computed for all frames, since the next one attends to all of
        them. The last computes only the frames that affect the output.
        """
        last, start = len(self.attn_layers) - 1, 0
        layers = zip(
            self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True
        )
        for i, (attention, norm_1, feed_forward, norm_2) in enumerate(layers):
            start = max(first - self.reach, 0) if i == last else 0
            x = norm_1(x[:, start:] + attention(x, start))
            x = norm_2(x + feed_forward(x))
        return x[:, first - start :]


class TextEncoder(nn.Module):
    """Content features and pitch bins -> prior."""

    def __init__(self, dim: int, outputs: int, hidden: int, encoder: Encoder, f0: bool) -> None:
        super().__init__()
        self.scale = math.sqrt(hidden)
        self.emb_phone = nn.Linear(dim, hidden)
        if f0:
            self.emb_pitch = nn.Embedding.from_pretrained(torch.empty(256, hidden))
        self.encoder = encoder
        self.proj = nn.Conv1d(hidden, 2 * outputs, 1)

    def forward(
        self, content: torch.Tensor, bins: torch.Tensor | None, first: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log standard deviation of the prior from frame ``first`` on.

        Args:
            content: ``[streams, frames, dim]``.
            bins: int64 ``[streams, frames]``, 1..255; None for a voice without pitch.
            first: the first output frame; the input is always all frames.

        Returns:
            Both ``[streams, outputs, frames - first]``.
        """
        x = self.emb_phone(content)
        if bins is not None:
            x += self.emb_pitch(bins)
        x = functional.leaky_relu_(x.mul_(self.scale), _SLOPE)
        x = self.encoder(x, first)
        mean, log_spread = self.proj(x.transpose(1, 2)).chunk(2, 1)
        return mean, log_spread
