"""The residual blocks of a streaming decoder, ``[streams, frames, channels]``.

See ``_residual`` for what they compute, and ``_streaming_decoder`` for what they remember.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.short_convolution import ShortConvolution
from voicegraph.nodes.layers.valid_convolution import (
    ValidConvolution,
    packed_valid_convolution,
)

from ._residual import SLOPE, PairedBlock, SingleBlock
from ._stream_tails import StreamTails, Timing


class StreamingPair(nn.Module):
    """Two convolutions, or one, with a residual connection; the input is rectified before.

    The output of the first is not remembered, but computed again where the second reaches back:
    that is less than copying it.

    Attributes:
        reach: frames by which the output is later than the input.
        inner: timing of the output of the first.
        made: timing of the output.
    """

    rectifies = False
    """Whether it rectifies its input itself."""

    def __init__(
        self, first: ValidConvolution | None, second: ValidConvolution, timing: Timing
    ) -> None:
        super().__init__()
        self.first, self.second = first, second
        within = 0 if first is None else _reach(first)
        self.reach = within + _reach(second)
        self.inner = Timing(timing.rate, timing.delay + 2 * self.reach - within)
        self.made = Timing(timing.rate, timing.delay + self.reach)

    def forward(self, x: torch.Tensor, rectified: torch.Tensor, tails: StreamTails) -> torch.Tensor:
        """``[streams, 2 reach + frames, channels]`` -> ``[streams, frames, channels]``."""
        if self.first is not None:
            rectified = tails.start_at_zero(self.first(rectified), self.inner)
        y = self.second(rectified, add=x[:, self.reach : x.shape[1] - self.reach])
        return tails.start_at_zero(y, self.made)


class ShortStreamingPair(nn.Module):
    """Replaces a :class:`StreamingPair`, by short convolution algorithms where these are faster."""

    rectifies = True

    def __init__(self, plain: StreamingPair) -> None:
        super().__init__()
        assert plain.first is not None
        self.first, self.second = _short(plain.first), _short(plain.second)
        self.reach, self.inner, self.made = plain.reach, plain.inner, plain.made

    def forward(
        self, x: torch.Tensor, rectified: torch.Tensor | None, tails: StreamTails
    ) -> torch.Tensor:
        """As :class:`StreamingPair`; ``rectified`` is not used."""
        inner = tails.start_at_zero(self.first(x), self.inner)
        y = self.second(inner).add_(x[:, self.reach : x.shape[1] - self.reach])
        return tails.start_at_zero(y, self.made)


def packed_pair(plain: StreamingPair) -> nn.Module:
    """The pair with weights packed for oneDNN; only where ``can_pack`` is true."""
    outputs, _, taps = plain.second.weight.shape
    if plain.first is not None and ShortConvolution.is_faster(outputs, taps):
        return ShortStreamingPair(plain)
    if plain.first is not None:
        plain.first = packed_valid_convolution(plain.first)  # pyright: ignore[reportAttributeAccessIssue]
    plain.second = packed_valid_convolution(plain.second)  # pyright: ignore[reportAttributeAccessIssue]
    return plain


class StreamingBlock(nn.Module):
    """A residual block: pairs in a row.

    Args:
        block: a PairedBlock or a SingleBlock.
        given: timing of the stage's new frames.
        reach: frames by which the slowest block of the stage is late; this one is delayed to it.
        tail: frames in front of the new ones, of the stage's input.

    Attributes:
        tail: frames that the pairs but the first remember of their input.
        settled: frames of 10 ms after which the beginning of a stream does not matter.
    """

    def __init__(self, block: nn.Module, given: Timing, reach: int, tail: int) -> None:
        super().__init__()
        reaches = pair_reaches(block)
        late = reach - sum(reaches)
        self.first, self.late = tail - late - 2 * reaches[0], late
        self.tails = [2 * own for own in reaches[1:]]
        self.tail = sum(self.tails)
        pairs = []
        for convolutions, own in zip(_convolutions(block), reaches, strict=True):
            timing = Timing(given.rate, given.delay + late)
            pairs.append(StreamingPair(*convolutions, timing))
            late += own
        self.settled = max(pair.inner.begins for pair in pairs)
        self.pairs = nn.ModuleList(pairs)

    @property
    def rectifies(self) -> bool:
        """Whether it rectifies its input itself."""
        return bool(self.pairs[0].rectifies)

    def forward(self, x: torch.Tensor, rectified: torch.Tensor, tails: StreamTails) -> torch.Tensor:
        """``[streams, tail of the stage + frames, channels]`` -> ``[streams, frames, channels]``.

        ``rectified`` is the leaky-rectified ``x``, which all blocks of a stage share; it may be
        ``x`` itself if ``rectifies`` is true.
        """
        last = x.shape[1] - self.late
        x, rectified = x[:, self.first : last], rectified[:, self.first : last]
        for number, pair in enumerate(self.pairs):
            if number:
                x = tails.extend(x, self.tails[number - 1])
                rectified = x if pair.rectifies else functional.leaky_relu(x, SLOPE)
            x = pair(x, rectified, tails)
        return x


def stage_tail(blocks: Sequence[nn.Module]) -> tuple[int, int]:
    """Frames by which the blocks of a stage are late, and frames that they need in front."""
    reaches = [pair_reaches(block) for block in blocks]
    reach = max(map(sum, reaches))
    return reach, max(reach - sum(own) + 2 * own[0] for own in reaches)


def pair_reaches(block: nn.Module) -> list[int]:
    """Frames to either side that each pair of a residual block reaches."""
    return [sum(_reach(conv) for conv in pair if conv is not None) for pair in _convolutions(block)]


def _convolutions(
    block: nn.Module,
) -> list[tuple[ValidConvolution | None, ValidConvolution]]:
    """The convolutions of a plain block in pairs; of a SingleBlock, only the second ones."""
    if isinstance(block, PairedBlock):
        pairs = zip(block.convs1, block.convs2, strict=True)
        return [(_valid(first, SLOPE), _valid(second)) for first, second in pairs]
    assert isinstance(block, SingleBlock)
    return [(None, _valid(conv)) for conv in block.convs]


def _valid(conv: nn.Module, slope: float | None = None) -> ValidConvolution:
    assert isinstance(conv, nn.Conv1d)
    return ValidConvolution(conv.weight, conv.bias, conv.dilation[0], slope)


def _reach(conv: ValidConvolution) -> int:
    return (conv.weight.shape[2] - 1) // 2 * conv.dilation


def _short(conv: ValidConvolution) -> ShortConvolution:
    assert conv.bias is not None
    return ShortConvolution(conv.weight, conv.bias, conv.dilation, SLOPE, padded=False)
