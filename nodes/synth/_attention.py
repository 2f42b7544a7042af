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
        return self.attend(x[:, first:], self.keys_and_values(x), first)

    def keys_and_values(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, channels]`` -> ``[streams, frames, 2 channels]``."""
        return torch.cat((self._project(self.conv_k, x), self._project(self.conv_v, x)), 2)

    def attend(
        self, x: torch.Tensor, pairs: torch.Tensor, first: int, exists: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The output of some frames, which attend to those of ``pairs``.

        Args:
            x: input of the frames ``[streams, queries, channels]``.
            pairs: keys and values of all frames that they attend to, ``[streams, frames, 2
                channels]``.
            first: the frame of the first query.
            exists: bool ``[streams, frames]``, the frames that exist; None if all do.

        Returns:
            ``[streams, queries, channels]``.
        """
        streams, frames = pairs.shape[:2]
        scale = 1 / math.sqrt(x.shape[2] // self.heads)
        query = self._split(self._project(self.conv_q, x)) * scale
        # Padding gives every frame a full window, so that the band below needs no special cases.
        padded = functional.pad(pairs, (0, 0, self.window, self.window))
        key, value = map(self._split, padded.chunk(2, 2))
        scores = query @ key.transpose(2, 3)
        scores = self._add_to_band(scores, first, query @ self.emb_rel_k.transpose(1, 2))
        scores[..., : self.window] = -torch.inf
        scores[..., frames + self.window :] = -torch.inf
        if exists is not None:
            inner = scores[..., self.window : frames + self.window]
            inner.masked_fill_(~exists[:, None, None], -torch.inf)
        weights = scores.softmax(-1)
        found = weights @ value
        found += self._band(weights, first) @ self.emb_rel_v
        return self._project(self.conv_o, found.transpose(1, 2).reshape(streams, -1, x.shape[2]))

    def _band(self, scores: torch.Tensor, first: int) -> torch.Tensor:
        """A view of the scores by distance: ``[streams, heads, queries, 2 window + 1]``.

        Query ``i`` is frame ``first + i``, which lies ``window`` columns further right.
        """
        streams, heads, queries, width = scores.shape
        size = (streams, heads, queries, 2 * self.window + 1)
        stride = (heads * queries * width, queries * width, width + 1, 1)
        return scores.as_strided(size, stride, scores.storage_offset() + first)

    def _add_to_band(self, scores: torch.Tensor, first: int, added: torch.Tensor) -> torch.Tensor:
        """The scores, with ``added`` ``[streams, heads, queries, 2 window + 1]`` on their band."""
        self._band(scores, first).add_(added)
        return scores

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, channels]`` -> ``[streams, heads, frames, channels / heads]``."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    @staticmethod
    def _project(layer: nn.Conv1d, x: torch.Tensor) -> torch.Tensor:
        """A convolution of kernel 1 is a matrix product over channels."""
        return functional.linear(x, layer.weight[:, :, 0], layer.bias)


class PortableAttention(Attention):
    """The same without views that have strides of their own, for exported networks."""

    def __init__(self, plain: Attention) -> None:
        nn.Module.__init__(self)
        self.heads, self.window = plain.heads, plain.window
        for name, parameter in plain.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, layer in plain.named_children():
            self.add_module(name, layer)

    def _columns(self, scores: torch.Tensor, first: int) -> torch.Tensor:
        """Where the band lies in the last axis, ``[streams, heads, queries, 2 window + 1]``."""
        rows = torch.arange(scores.shape[2])[:, None] + first
        columns = rows + torch.arange(2 * self.window + 1)
        return columns.expand(*scores.shape[:2], -1, -1)

    def _band(self, scores: torch.Tensor, first: int) -> torch.Tensor:
        return scores.gather(3, self._columns(scores, first))

    def _add_to_band(self, scores: torch.Tensor, first: int, added: torch.Tensor) -> torch.Tensor:
        # Gathered by distance: ONNX Runtime has no sums at places in float16.
        rows = torch.arange(scores.shape[2])[:, None] + first
        distance = torch.arange(scores.shape[3]) - rows
        near = (distance >= 0) & (distance <= 2 * self.window)
        number = distance.clamp(0, 2 * self.window).expand(*scores.shape[:2], -1, -1)
        return scores + added.gather(3, number) * near
