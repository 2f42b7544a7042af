"""The text encoder of a voice: content features and pitch bins to mean and spread of the prior.

J. Kim, J. Kong, J. Son, "Conditional variational autoencoder with adversarial learning for
end-to-end text-to-speech" (VITS), ICML 2021.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.convolution import Convolution

from ._attention import Attention
from ._text_memory import TextMemory

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

    def forward(self, x: torch.Tensor, exists: torch.Tensor | None = None) -> torch.Tensor:
        """``[streams, frames, channels]``, the same.

        ``exists``, bool ``[streams, frames]``, says which frames there are; None if all. The others
        are 0 between the convolutions, as beyond the ends; the caller sets them to 0 before.
        """
        inner = self.conv_1(functional.pad(x.transpose(1, 2), self.margin)).relu_()
        if exists is not None:
            inner = inner * exists[:, None]
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

    def forward(self, x: torch.Tensor, exists: torch.Tensor | None = None) -> torch.Tensor:
        """As :class:`FeedForward`."""
        inner = self.conv_1(x)
        return self.conv_2(inner if exists is None else inner * exists[..., None])


def packed_feed_forward(plain: FeedForward, dtype: torch.dtype = torch.float32) -> nn.Module:
    """The packed counterpart; the plain one for even kernels, whose padding differs in front."""
    return PackedFeedForward(plain, dtype) if plain.margin[0] == plain.margin[1] else plain


class Encoder(nn.Module):
    """Transformer layers with post-normalisation.

    Attributes:
        reach: frames to either side that the convolutions of a layer reach.
        before: frames before it that they need, at most as many.
    """

    def __init__(self, channels: int, inner: int, heads: int, layers: int, kernel: int) -> None:
        super().__init__()
        self.reach = 2 * (kernel // 2)
        self.before = 2 * ((kernel - 1) // 2)
        self.attn_layers = nn.ModuleList(Attention(channels, heads, _WINDOW) for _ in range(layers))
        self.norm_layers_1 = nn.ModuleList(LayerNorm(channels) for _ in range(layers))
        self.ffn_layers = nn.ModuleList(FeedForward(channels, inner, kernel) for _ in range(layers))
        self.norm_layers_2 = nn.ModuleList(LayerNorm(channels) for _ in range(layers))

    def forward(
        self,
        x: torch.Tensor,
        first: int,
        exists: torch.Tensor | None = None,
        memory: TextMemory | None = None,
    ) -> torch.Tensor:
        """``[streams, frames, channels]`` -> the same from frame ``first`` on.

        All layers but the last are computed for all frames, since the next one attends to all of
        them. Without a memory, the last computes only the frames that affect the output.

        Args:
            x: the frames.
            first: the first output frame.
            exists: bool ``[streams, frames]``, the frames that exist; None if all do.
            memory: what earlier frames have left; changed in place. None has no earlier frames.
        """
        last, start = len(self.attn_layers) - 1, 0
        layers = zip(
            self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True
        )
        for i, (layer, norm_1, feed_forward, norm_2) in enumerate(layers):
            attention = cast("Attention", layer)
            if i == last and memory is None:
                start = max(first - self.reach, 0)
            pairs, seen = attention.keys_and_values(x), exists
            if memory is not None:
                pairs, seen = memory.attended(i, pairs, exists)
            past = pairs.shape[1] - x.shape[1]
            x = norm_1(x[:, start:] + attention.attend(x[:, start:], pairs, past + start, seen))
            shown = None if exists is None else exists[:, start:]
            x = norm_2(x + _fed_forward(feed_forward, x, shown, i, memory))
        return x[:, first - start :]


def _fed_forward(
    layer: nn.Module,
    x: torch.Tensor,
    exists: torch.Tensor | None,
    number: int,
    memory: TextMemory | None,
) -> torch.Tensor:
    """A layer's convolutions on frames and, with a memory, on those before them."""
    if exists is not None:
        x = x * exists[..., None]
    if memory is None:
        return layer(x, exists)
    count = x.shape[1]
    x, exists = memory.convolved(number, x, exists)
    return layer(x, exists)[:, x.shape[1] - count :]


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
        self,
        content: torch.Tensor,
        bins: torch.Tensor | None,
        first: int,
        exists: torch.Tensor | None = None,
        memory: TextMemory | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log standard deviation of the prior from frame ``first`` on.

        Args:
            content: ``[streams, frames, dim]``.
            bins: int64 ``[streams, frames]``, 1..255; None for a voice without pitch.
            first: the first output frame; the input is always all frames.
            exists: bool ``[streams, frames]``, the frames that exist; None if all do.
            memory: what earlier frames have left; None has no earlier frames.

        Returns:
            Both ``[streams, outputs, frames - first]``.
        """
        x = self.emb_phone(content)
        if bins is not None:
            x += self.emb_pitch(bins)
        x = functional.leaky_relu_(x.mul_(self.scale), _SLOPE)
        x = self.encoder(x, first, exists, memory)
        mean, log_spread = self.proj(x.transpose(1, 2)).chunk(2, 1)
        return mean, log_spread
