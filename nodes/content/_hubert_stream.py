"""A HuBERT encoder as a stream: convolutions once, newest frames again, older ones remembered.

Frames are numbered from 0. Before frame 0 there are none. A call with ``n`` new frames ``e - n`` to
``e - 1`` computes, in this order:

1. Statistics of the first norm: over the newest ``past + again + block`` frames.
2. Output of the convolutions for the new frames, by these statistics. It is kept: older frames were
   made with the statistics of their own calls.
3. The *live* frames ``e - n - again`` to ``e - 1`` through the positional convolution, which uses
   64 frames before each and, of those after it, the ones that exist.
4. Each layer for the live frames, which attend to each other in both directions and to ``past``
   frames before them, by the keys and values that those had when they were live for the last time.

A frame is live in the call in which it is new and as long as fewer than ``again`` frames came after
it. So its features are revised; those of its last time stay.

Cached keys and values of settled frames: Y. Shi et al., "Emformer: efficient memory transformer
based acoustic model for low latency streaming speech recognition", ICASSP 2021.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch.nn import functional

from voicegraph.graph import State
from voicegraph.nodes.content._hubert_network import HubertNetwork, TransformerLayer
from voicegraph.nodes.content._hubert_statistics import RunningStatistics
from voicegraph.nodes.content.hubert_sizes import STRIDES

STEP = math.prod(STRIDES)
"""Samples from frame to frame."""


@dataclass
class HubertStreamState(State):
    """State of a stream.

    ``heard`` ``[streams]`` int64: frames so far; below 0 before the stream. It stays on the CPU,
    which uses it for control flow. ``sums`` ``[streams, window, taps, taps + 1]`` float64: of the
    samples under the first kernel, for each frame. ``projected`` ``[streams, reach + again,
    hidden]``: input of the positional convolution, newest last. ``pairs`` ``[streams, layers, again
    + block + past, 2 hidden]``: keys and values; those of live frames end at ``again + block``,
    settled frames are a ring behind them. ``features`` ``[streams, kept, width]`` float32: newest
    last.
    """

    heard: torch.Tensor
    sums: torch.Tensor
    projected: torch.Tensor
    pairs: torch.Tensor
    features: torch.Tensor


class ValidFrames(NamedTuple):
    """Masks of the frames that exist, at the beginning of a stream.

    Attributes:
        seen: bool ``[streams, live + past]``, frames that attention uses.
        live: bool ``[streams, live]``.
    """

    seen: torch.Tensor
    live: torch.Tensor


class HubertStream:
    """A network that is evaluated block by block.

    Args:
        network: on any device, in any precision.
        past: settled frames that attention uses, at least 1.
        again: frames before the new ones that are computed again, at least 0.
        block: the most new frames of a call, at least 1.
        kept: frames of features that are kept, at least ``again + block``.
    """

    def __init__(
        self, network: HubertNetwork, past: int, again: int, block: int, kept: int = 0
    ) -> None:
        sizes = network.sizes
        self.network, self.past, self.again, self.block = network, past, again, block
        self.kept = max(kept, again + block)
        self.layers = cast("list[TransformerLayer]", list(network.layers))
        step = STEP // STRIDES[0]
        tail = (sizes.field - sizes.kernels[0]) // STRIDES[0] + 1 - step
        self.statistics = RunningStatistics(sizes.kernels[0], step, tail, past + again + block)
        self.reach = sizes.taps // 2
        self.silence = self._features_of_silence()

    @property
    def _device(self) -> torch.device:
        return self.network.norm.weight.device

    def _features_of_silence(self) -> torch.Tensor:
        """Features of digital silence ``[width]``: of the middle of as much as is live."""
        frames = self.again + self.block
        samples = (frames - 1) * STEP + self.network.sizes.field
        with torch.inference_mode():
            made = self.network(torch.zeros(1, samples, device=self._device))
        return made[0, frames // 2].clone()

    def begin(self, streams: int, heard: int = 0) -> HubertStreamState:
        """The state at the beginning of a stream.

        Args:
            streams: number of streams.
            heard: number of the first new frame, at most 0: frames before 0 do not exist.
        """
        device, hidden = self._device, self.network.sizes.hidden
        like = {"dtype": self.network.dtype, "device": device}
        live = self.again + self.block
        pairs = (len(self.layers), live + self.past, 2 * hidden)
        return HubertStreamState(
            heard=torch.full((streams,), heard),
            sums=self.statistics.begin(streams, device),
            projected=torch.zeros(streams, self.reach + self.again, hidden, **like),
            pairs=torch.zeros(streams, *pairs, dtype=self.network.pair_dtype, device=device),
            features=self.silence.repeat(streams, self.kept, 1),
        )

    def __call__(self, audio: torch.Tensor, state: HubertStreamState) -> torch.Tensor:
        """The next frames.

        Args:
            audio: float32 ``[streams, 320 n + 80]``, 1 to ``block`` new frames ``n``: the last 80
                samples are the first ones of the next call.
            state: of the streams; changed in place.

        Returns:
            The state's features, float32 ``[streams, kept, width]``, the newest frame last. Frames
            that do not exist have those of silence.
        """
        new = (audio.shape[1] - self.network.sizes.field) // STEP + 1
        first = self.block - new
        x = self._embed(audio, state)
        existing = self._existing(state.heard, new)
        seen = None if existing is None else existing.seen[:, None, None]
        for number, layer in enumerate(self.layers):
            x = self._through(layer, x, state.pairs[:, number, first:], seen)
        if self.network.head is not None:
            x = self.network.head(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        made = x.float()
        if existing is not None:
            made = torch.where(existing.live[..., None], made, self.silence)
        self._settle(state, new)
        state.heard += new
        return _keep(state.features, made, new)

    def anew(self, audio: torch.Tensor, state: HubertStreamState) -> torch.Tensor:
        """The next frames as the network's own on a whole window, without what is remembered.

        Args:
            audio: float32 ``[streams, 320 (past + block) + 80]``, of which the frames of ``block``
                are new.
            state: of the streams; its features are changed in place.

        Returns:
            As a call does.
        """
        state.heard += self.block
        return _keep(state.features, self.network(audio)[:, -self.kept :], self.block)

    def _embed(self, audio: torch.Tensor, state: HubertStreamState) -> torch.Tensor:
        """Input of the first layer for the live frames, ``[streams, live, hidden]``."""
        network, statistics = self.network, self.statistics
        rows = statistics.rows(audio)
        mean, covariance = statistics.update(rows, state.sums, state.heard)
        x = network.first((rows - mean).float(), network.first.kernels(covariance))
        x = x.to(network.dtype)
        for conv in network.convs:
            x = conv(x)
        streams, new, _ = x.shape
        x = network.projected(x.flatten(0, 1)).view(streams, new, -1)
        if bool((state.heard < 0).any()):
            numbers = state.heard[:, None] + torch.arange(new)
            x = x * (numbers >= 0).to(x.device)[..., None]
        line = torch.cat((state.projected, x), 1)
        state.projected.copy_(line[:, new:])
        live = line[:, self.reach :]
        return network.norm(live + network.position(line, context=self.reach))

    def _existing(self, heard: torch.Tensor, new: int) -> ValidFrames | None:
        """Masks of the frames that exist; None if all do.

        Before the stream, live frames attend to each other: they hold silence.
        """
        settled = (heard - self.again)[:, None]
        if bool((settled >= self.past).all()):
            return None
        live = settled + torch.arange(self.again + new) >= 0
        ring = torch.arange(self.past) < settled
        seen = torch.cat((live | (heard + new <= 0)[:, None], ring), 1)
        return ValidFrames(seen.to(self._device), live.to(self._device))

    def _through(
        self,
        layer: TransformerLayer,
        x: torch.Tensor,
        pairs: torch.Tensor,
        seen: torch.Tensor | None,
    ) -> torch.Tensor:
        """A layer on live frames ``[streams, live, hidden]``; writes their keys and values."""
        query, own = projected(layer, x)
        pairs[:, : x.shape[1]] = own
        return attended(layer, x, query, pairs, seen)

    def _settle(self, state: HubertStreamState, new: int) -> None:
        """Copies keys and values of the oldest live frames to the ring: frame k to k % past."""
        live, start = self.again + self.block, self.block - new
        for stream, heard in enumerate(state.heard.tolist()):
            oldest, end = heard - self.again, heard - self.again + new
            frame = max(oldest, 0, end - self.past)
            while frame < end:  # twice where the ring ends between them
                place = frame % self.past
                count = min(end - frame, self.past - place)
                source = start + frame - oldest
                pairs = state.pairs[stream]
                pairs[:, live + place : live + place + count] = pairs[:, source : source + count]
                frame += count


def projected(layer: TransformerLayer, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Queries ``[streams, frames, hidden]``, and keys and values ``[.., 2 hidden]``, of frames."""
    streams, frames, hidden = x.shape
    made = layer.inputs(x.flatten(0, 1)).view(streams, frames, 3 * hidden)
    return made[..., :hidden], made[..., hidden:]


def attended(
    layer: TransformerLayer,
    x: torch.Tensor,
    query: torch.Tensor,
    pairs: torch.Tensor,
    seen: torch.Tensor | None,
) -> torch.Tensor:
    """A layer on frames that attend to keys and values.

    Args:
        layer: of the network.
        x: the frames ``[streams, frames, hidden]``.
        query: theirs.
        pairs: ``[streams, attended frames, 2 hidden]``.
        seen: bool, broadcast to ``[streams, heads, frames, attended frames]``; None if all exist.

    Returns:
        The shape of ``x``.
    """
    hidden = x.shape[2]
    rows, split = x.flatten(0, 1), (layer.heads, hidden // layer.heads)
    query = query.unflatten(2, split).transpose(1, 2)
    keys, values = (part.unflatten(2, split).transpose(1, 2) for part in pairs.split(hidden, 2))
    y = functional.scaled_dot_product_attention(query, keys, values, seen)
    y = y.transpose(1, 2).reshape(rows.shape)
    rows = layer.attention_norm(rows + layer.output(y))
    return layer.norm(rows + layer.down(layer.up(rows))).view(x.shape)


def _keep(features: torch.Tensor, made: torch.Tensor, new: int) -> torch.Tensor:
    """Moves the features back by the new frames and overwrites the newest; returns them."""
    features[:, :-new] = features[:, new:].clone()
    features[:, features.shape[1] - made.shape[1] :] = made
    return features
