"""Self-attention with relative positions, for the text encoder.

P. Shaw, J. Uszkoreit, A. Vaswani, "Self-attention with relative position representations", NAACL
2018: keys and values get a learned vector for every distance up to a window.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    """Multi-head attention of all frames on all frames; axes ``[streams, frames, channels]``.

    Distances -window..window have one vector each, shared by the heads; larger ones have none.
    """

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        shape = (1, 2 * window + 1, channels // heads)
        self.emb_rel_k = nn.Parameter(torch.empty(shape))
        self.emb_rel_v = nn.Parameter(torch.empty(shape))
        self.conv_q = nn.Conv1d(channels, channels, 1)
        self.conv_k = nn.Conv1d(channels, channels, 1)
        self.conv_v = nn.Conv1d(channels, channels, 1)
        self.conv_o = nn.Conv1d(channels, channels, 1)

    def forward(self, x: torch.Tensor, first: int) -> torch.Tensor:
        """``[streams, frames, channels]`` -> ``[streams, frames - first, channels]``.

        The outputs of frames before ``first`` are not computed.
        """
        streams, frames, channels = x.shape
        scale = 1 / math.sqrt(channels // self.heads)
        query = self._split(self._project(self.conv_q, x[:, first:])) * scale
        # Padding gives every frame a full window, so that the band below needs no special cases.
        rim = (0, 0, self.window, self.window)
        key = functional.pad(self._split(self._project(self.conv_k, x)), rim)
        value = functional.pad(self._split(self._project(self.conv_v, x)), rim)
        scores = query @ key.transpose(2, 3)
        self._band(scores, first).add_(query @ self.emb_rel_k.transpose(1, 2))
        scores[..., : self.window] = -torch.inf
        scores[..., frames + self.window :] = -torch.inf
        weights = scores.softmax(-1)
        found = weights @ value
        found += self._band(weights, first) @ self.emb_rel_v
        return self._project(self.conv_o, found.transpose(1, 2).reshape(streams, -1, channels))

    def _band(self, scores: torch.Tensor, first: int) -> torch.Tensor:
        """A view of the scores by distance: ``[streams, heads, queries, 2 window + 1]``.

        Query ``i`` is frame ``first + i``, which lies ``window`` columns further right.
        """
        streams, heads, queries, width = scores.shape
        size = (streams, heads, queries, 2 * self.window + 1)
        stride = (heads * queries * width, queries * width, width + 1, 1)
        return scores.as_strided(size, stride, scores.storage_offset() + first)

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, channels]`` -> ``[streams, heads, frames, channels / heads]``."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    @staticmethod
    def _project(layer: nn.Conv1d, x: torch.Tensor) -> torch.Tensor:
        """A convolution of kernel 1 is a matrix product over channels."""
        return functional.linear(x, layer.weight[:, :, 0], layer.bias)
