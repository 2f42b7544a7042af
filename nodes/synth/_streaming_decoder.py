"""The decoder of a voice as a stream: the numbers of the whole signal, block by block.

Every layer runs without padding on the new frames and on a tail of its earlier inputs, which is
remembered. A layer that reaches ``r`` frames to either side is ``r`` frames late; where branches
meet, the faster one is delayed. So nothing is computed twice but a few frames inside of pairs, and
the output is that of ``_decoder.Decoder`` on the whole signal, :attr:`StreamingDecoder.lookahead`
samples later.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.linear import Linear
from voicegraph.nodes.layers.valid_convolution import FinalConvolution, ValidConvolution

from ._decoder import LAST_SLOPE, Decoder
from ._residual import SLOPE
from ._stream_tails import StreamTails, Timing
from ._streaming_residual import StreamingBlock, stage_tail


class StreamingDecoder(nn.Module):
    """A :class:`Decoder` with explicit state; its layers can be replaced by packed ones.

    Args:
        plain: the decoder with folded weights, on the CPU.

    Attributes:
        lookahead: samples that the output is late.
        held: values of a stream's state.
        settled: frames of 10 ms after which the beginning of a stream affects no layer any more.
    """

    def __init__(self, plain: Decoder) -> None:
        super().__init__()
        count = plain.kernels
        ups = [up for up in plain.ups if isinstance(up, nn.ConvTranspose1d)]
        self.samples = math.prod(int(up.stride[0]) for up in ups)
        self.conv_pre = ValidConvolution(plain.conv_pre.weight, None)
        self.pre_tail = plain.conv_pre.weight.shape[2] - 1
        timing = Timing(1, self.pre_tail // 2)
        stages = []
        for i, up in enumerate(ups):
            blocks = plain.resblocks[i * count : (i + 1) * count]
            source = plain.noise_convs[i] if plain.f0 else None
            # The mean of the blocks of the stage before is the factor left over.
            stage = _Stage(up, source, blocks, 1 / count if i else 1.0, timing, self.samples)
            stages.append(stage)
            timing = stage.made
        self.stages = nn.ModuleList(stages)
        last = plain.conv_post.weight
        self.post_tail = last.shape[2] - 1
        self.conv_post = FinalConvolution(last / count, None)
        self.f0 = plain.f0
        if plain.f0:
            self.m_source = plain.m_source
        self.made = Timing(timing.rate, timing.delay + self.post_tail // 2)
        self.lookahead = self.made.delay
        self.source_tail = max((stage.source_before for stage in stages), default=0)
        self.held = plain.conv_pre.weight.shape[1] * self.pre_tail
        self.held += sum(stage.held for stage in stages) + last.shape[1] * self.post_tail
        self.held += self.source_tail if plain.f0 else 0
        self.settled = max([self.made.begins, *(stage.settled for stage in stages)])

    def forward(
        self,
        z: torch.Tensor,
        source: torch.Tensor | None,
        bias: torch.Tensor,
        tails: StreamTails,
    ) -> torch.Tensor:
        """The next samples of the streams.

        Args:
            z: new latents ``[streams, frames, inter channels]``; 0 before the signal.
            source: the merged source of these frames, ``[streams, samples]``; 0 before the signal;
                None for a voice without pitch.
            bias: a speaker's row of the result of ``Decoder.fold``.
            tails: of the streams.

        Returns:
            ``[streams, samples]`` in -1..1, 0 before the signal.
        """
        x = self.conv_pre(tails.extend(z, self.pre_tail), bias=bias)
        x = tails.start_at_zero(x, self.stages[0].given)  # pyright: ignore[reportArgumentType]
        if source is not None:
            source = tails.extend(source[:, :, None], self.source_tail)[:, :, 0]
        for stage in self.stages:
            x = stage(x, source, self.source_tail, tails)
        x = tails.extend(x.to(z.dtype), self.post_tail, LAST_SLOPE)
        x = self.conv_post(x).tanh_()
        return tails.start_at_zero(x, self.made)[:, :, 0]


class _Stage(nn.Module):
    """Upsampling, addition of the source, and the sum of the residual blocks.

    Args:
        up: the transposed convolution.
        source: the strided convolution of the source; None without pitch.
        blocks: the residual blocks.
        scale: of the input.
        given: timing of the input.
        samples: of the output of the last stage, for each frame of 10 ms.
    """

    def __init__(
        self,
        up: nn.ConvTranspose1d,
        source: nn.Module | None,
        blocks: nn.ModuleList,
        scale: float,
        given: Timing,
        samples: int,
    ) -> None:
        super().__init__()
        assert up.bias is not None
        self.given, bias = given, up.bias
        inputs, self.width, _ = up.weight.shape
        rate = int(up.stride[0])
        own = Timing(given.rate * rate, given.delay * rate + int(up.padding[0]))
        self.source, self.source_before = None, 0
        if source is not None:
            self.source = _SourceDownsampling(source, own, samples)
            self.source_before = self.source.before
            bias = bias + source.get_parameter("bias")
        kernel = _upsampling_kernel(up.weight * scale, rate)
        self.up, self.up_tail = ValidConvolution(kernel, bias.repeat(rate)), kernel.shape[2] - 1
        self.own = own
        reach, self.tail = stage_tail(list(blocks))
        made = [StreamingBlock(block, own, reach, self.tail) for block in blocks]
        self.blocks = nn.ModuleList(made)
        self.made = Timing(own.rate, own.delay + reach)
        self.held = inputs * self.up_tail
        self.held += self.width * (self.tail + sum(block.tail for block in made))
        self.settled = max([own.begins, *(block.settled for block in made)])

    def forward(
        self, x: torch.Tensor, source: torch.Tensor | None, newest: int, tails: StreamTails
    ) -> torch.Tensor:
        """``[streams, frames, inputs]`` -> ``[streams, rate * frames, outputs]``.

        ``source`` begins ``newest`` samples before the new frames.
        """
        x = self.up(tails.extend(x, self.up_tail, SLOPE))
        x = x.reshape(x.shape[0], -1, self.width)
        if self.source is not None and source is not None:
            x = x.add_(self.source(source, newest, x.shape[1])).contiguous()
        x = tails.extend(tails.start_at_zero(x, self.own), self.tail)
        shared = not all(block.rectifies for block in self.blocks)
        rectified = functional.leaky_relu(x, SLOPE) if shared else x
        total = None
        for block in self.blocks:
            made = block(x, rectified, tails)
            total = made if total is None else total.add_(made)
        assert total is not None
        return total


def _upsampling_kernel(weight: torch.Tensor, rate: int) -> torch.Tensor:
    """A transposed kernel ``[inputs, outputs, taps]`` as that of a convolution.

    Its outputs are the ``rate`` frames of an input frame: ``[rate * outputs, inputs, reached]``.
    """
    inputs, outputs, taps = weight.shape
    reached = -(-taps // rate)
    full = functional.pad(weight, (0, reached * rate - taps)).view(inputs, outputs, reached, rate)
    return full.flip(2).permute(3, 1, 0, 2).flatten(0, 1)


class _SourceDownsampling(nn.Module):
    """Downsamples the source to a stage's rate, without the bias.

    Attributes:
        before: samples before the new frames that it needs.
    """

    def __init__(self, conv: nn.Module, timing: Timing, samples: int) -> None:
        super().__init__()
        assert isinstance(conv, nn.Conv1d)
        self.taps, self.stride = int(conv.kernel_size[0]), int(conv.stride[0])
        assert self.stride * timing.rate == samples
        self.before = timing.delay * self.stride + int(conv.padding[0])
        assert self.taps - self.stride <= self.before  # the newest sample is there
        self.product = Linear(self.taps, conv.out_channels, bias=False)
        self.product.weight = nn.Parameter(conv.weight[:, 0].contiguous(), requires_grad=False)

    def forward(self, source: torch.Tensor, newest: int, frames: int) -> torch.Tensor:
        """``[streams, samples]`` -> ``[streams, frames, channels]``."""
        first = newest - self.before
        count = (frames - 1) * self.stride + self.taps
        rows = source[:, first : first + count].unfold(1, self.taps, self.stride)
        return self.product(rows.flatten(0, 1)).view(*rows.shape[:2], -1)
