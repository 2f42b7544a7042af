"""The normalising flow of a voice: speaker-independent to speaker-dependent latents.

Coupling layers of R. Prenger, R. Valle, B. Catanzaro, "WaveGlow", ICASSP 2019, shift only, as in
VITS (J. Kim et al., ICML 2021); run in reverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

_KERNEL = 5
_LAYERS = 3
_COUPLINGS = 4

COUPLING_REACH = _LAYERS * (_KERNEL // 2)
"""Frames to either side that a coupling's shift depends on."""
REACH = _COUPLINGS * COUPLING_REACH
"""Frames to either side that a frame depends on: 24."""


class GatedStack(nn.Module):
    """Gated convolutions with skips (WaveNet, A. van den Oord et al., 2016)."""

    def __init__(self, hidden: int, speaker: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.in_layers = nn.ModuleList(
            nn.Conv1d(hidden, 2 * hidden, _KERNEL, padding=_KERNEL // 2) for _ in range(_LAYERS)
        )
        self.res_skip_layers = nn.ModuleList(
            nn.Conv1d(hidden, 2 * hidden if i < _LAYERS - 1 else hidden, 1) for i in range(_LAYERS)
        )
        self.cond_layer = nn.Conv1d(speaker, 2 * hidden * _LAYERS, 1)

    def biases(self, speakers: torch.Tensor) -> torch.Tensor:
        """Layer biases for speakers ``[speakers, dim]``: ``[speakers, layers, 2 hidden]``."""
        weight, bias = self.cond_layer.weight[:, :, 0], self.cond_layer.bias
        added = nn.functional.linear(speakers, weight, bias).unflatten(1, (_LAYERS, -1))
        return added + torch.stack([layer.get_parameter("bias") for layer in self.in_layers])

    def forward(
        self, x: torch.Tensor, biases: torch.Tensor, exists: torch.Tensor | None = None
    ) -> torch.Tensor:
        """``[streams, hidden, frames]``, the same; ``x`` is overwritten.

        ``exists``, float ``[streams, 1, frames]``, is 0 where there is no frame; None if all exist.
        """
        skips = None
        for i, (layer, mix) in enumerate(zip(self.in_layers, self.res_skip_layers, strict=True)):
            weight = layer.get_parameter("weight")
            if exists is not None:
                x *= exists
            inner = torch.conv1d(x, weight, biases[i], padding=_KERNEL // 2)
            gated = inner[:, : self.hidden].tanh() * inner[:, self.hidden :].sigmoid()
            mixed = mix(gated)
            if i < _LAYERS - 1:
                x += mixed[:, : self.hidden]
                mixed = mixed[:, self.hidden :]
            skips = mixed if skips is None else skips + mixed
        assert skips is not None
        return skips


class Coupling(nn.Module):
    """Shifts one half of the channels by a function of the other."""

    def __init__(self, channels: int, hidden: int, speaker: int) -> None:
        super().__init__()
        self.pre = nn.Conv1d(channels // 2, hidden, 1)
        self.enc = GatedStack(hidden, speaker)
        self.post = nn.Conv1d(hidden, channels // 2, 1)

    def forward(
        self, x: torch.Tensor, biases: torch.Tensor, exists: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The shift, ``[streams, channels / 2, frames]`` of the same."""
        return self.post(self.enc(self.pre(x), biases, exists))


class Flow(nn.Module):
    """Four couplings; between them the channels are reversed, which :meth:`fold` puts into weights.

    The entries between the couplings in ``flows`` are the reversals, which have no weights.
    """

    def __init__(self, channels: int, hidden: int, speaker: int) -> None:
        super().__init__()
        self.middle = channels // 2
        self.flows = nn.ModuleList(
            Coupling(channels, hidden, speaker) if i % 2 == 0 else nn.Identity()
            for i in range(2 * _COUPLINGS)
        )

    @property
    def couplings(self) -> Sequence[Coupling]:
        """In the order of evaluation: from the last to the first."""
        found = (flow for flow in reversed(self.flows) if not isinstance(flow, nn.Identity))
        return cast("list[Coupling]", list(found))  # or their packed counterparts

    def fold(self, speakers: torch.Tensor) -> torch.Tensor:
        """Prepares the weights for :meth:`forward`; once, after they have been loaded.

        Every other coupling works on reversed channels: its weights are reversed instead.

        Args:
            speakers: embeddings ``[speakers, dim]``.

        Returns:
            Biases by speaker, ``[speakers, couplings, layers, 2 hidden]``, in the order of
            evaluation.
        """
        for coupling in self.couplings[::2]:
            coupling.pre.weight.copy_(coupling.pre.weight.flip(1))
            coupling.post.weight.copy_(coupling.post.weight.flip(0))
            assert coupling.post.bias is not None
            coupling.post.bias.copy_(coupling.post.bias.flip(0))
        biases = torch.stack([c.enc.biases(speakers) for c in self.couplings], 1)
        for coupling in self.couplings:
            del coupling.enc.cond_layer
        return biases

    def forward(
        self,
        z: torch.Tensor,
        biases: torch.Tensor,
        start: int,
        count: int,
        exists: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Frames ``[start, start + count)`` of the output.

        Each coupling computes only the frames that these depend on.

        Args:
            z: ``[streams, channels, frames]``; overwritten.
            biases: one speaker's row of the result of :meth:`fold`.
            start: first output frame.
            count: number of output frames.
            exists: float ``[streams, 1, frames]``, 0 where there is no frame, as beyond the ends;
                None if all exist.

        Returns:
            ``[streams, channels, count]``.
        """
        couplings = self.couplings
        for i, coupling in enumerate(couplings):
            margin = (len(couplings) - i) * COUPLING_REACH
            begin, end = max(start - margin, 0), start + count + margin
            part = z[:, :, begin:end]
            low, high = part[:, : self.middle], part[:, self.middle :]
            shown = None if exists is None else exists[:, :, begin:end]
            if i % 2 == 0:
                low -= coupling(high, biases[i], shown)
            else:
                high -= coupling(low, biases[i], shown)
        return z[:, :, start : start + count]
