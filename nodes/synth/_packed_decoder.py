"""The decoder with weights packed for oneDNN: the same output, faster.

In bfloat16 everything between the first and the last convolution stays in bfloat16, sums of
products are in float32, and the last convolution, which makes the audio, is float32 as a whole.

The layout is ``[streams, samples, channels]``, which oneDNN's kernels prefer. See ``_decoder``.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.convolution import Convolution
from voicegraph.nodes.layers.packed import PackedLinear
from voicegraph.nodes.layers.upsampling import Upsampling

from ._decoder import LAST_SLOPE, Decoder
from ._packed_residual import PackedBlock
from ._residual import SLOPE


class PackedDecoder(nn.Module):
    """Replaces a :class:`Decoder`, with the same call.

    Args:
        plain: the decoder with folded weights; float32, on the CPU.
        dtype: float32 or bfloat16, to compute in.
    """

    def __init__(self, plain: Decoder, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        first = plain.conv_pre.weight
        self.conv_pre = Convolution(first.to(dtype), None, first.shape[2] // 2)
        count = plain.kernels
        self.stages = nn.ModuleList(
            _Stage(
                up,
                plain.noise_convs[i] if plain.f0 else None,
                plain.resblocks[i * count : (i + 1) * count],
                1 / count if i else 1.0,
                dtype,
            )
            for i, up in enumerate(plain.ups)
        )
        last = plain.conv_post.weight
        self.conv_post = Convolution(last / count, None, last.shape[2] // 2)
        if plain.f0:
            self.m_source = plain.m_source

    def forward(
        self, z: torch.Tensor, source: torch.Tensor | None, bias: torch.Tensor
    ) -> torch.Tensor:
        """Audio from latents.

        Args:
            z: ``[streams, inter channels, frames]``.
            source: ``[streams, 1, samples]``; None for a voice without pitch.
            bias: a speaker's row of the result of ``Decoder.fold``.

        Returns:
            ``[streams, 1, samples]`` in -1..1.
        """
        x = self.conv_pre(z.transpose(1, 2), bias=bias)
        for stage in self.stages:
            x = stage(x, source)
        x = functional.leaky_relu(x.float(), LAST_SLOPE)
        return self.conv_post(x).tanh_().transpose(1, 2)


class _Stage(nn.Module):
    """Upsampling, addition of the source, and the sum of the residual blocks.

    The decoder takes their mean. The next layer is positively homogeneous, so its weights are
    divided instead: ``scale`` is the factor left over from the stage before.
    """

    def __init__(
        self,
        up: nn.Module,
        downsampling: nn.Module | None,
        blocks: nn.ModuleList,
        scale: float,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        assert isinstance(up, nn.ConvTranspose1d)
        assert up.bias is not None
        bias = up.bias
        self.downsampling = None
        if downsampling is not None:
            self.downsampling = _SourceDownsampling(downsampling, dtype)
            bias = bias + downsampling.get_parameter("bias")
        sizes = (up.stride[0], int(up.padding[0]), up.output_padding[0])
        self.up = Upsampling((up.weight * scale).to(dtype), bias, *sizes)
        self.blocks = nn.ModuleList(PackedBlock(block, dtype) for block in blocks)

    def forward(self, x: torch.Tensor, source: torch.Tensor | None) -> torch.Tensor:
        x = self.up(functional.leaky_relu(x, SLOPE))
        if self.downsampling is not None and source is not None:
            x = x.add_(self.downsampling(source)).contiguous()
        shared = any(block.rectifies for block in self.blocks)
        rectified = functional.leaky_relu(x, SLOPE) if shared else None
        total = None
        for block in self.blocks:
            made = block(x, rectified)
            total = made if total is None else total.add_(made)
        assert total is not None
        return total


class _SourceDownsampling(nn.Module):
    """Downsamples the source to a stage's rate, without the bias."""

    def __init__(self, conv: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        assert isinstance(conv, nn.Conv1d)
        self.taps, self.stride = conv.kernel_size[0], conv.stride[0]
        self.margin = int(conv.padding[0])
        self.product = PackedLinear(conv.weight[:, 0].to(dtype).contiguous(), None)

    def forward(self, source: torch.Tensor) -> torch.Tensor:
        """``[streams, 1, samples]`` -> ``[streams, frames, channels]``."""
        padded = functional.pad(source[:, 0], (self.margin, self.margin))
        rows = padded.unfold(1, self.taps, self.stride)
        return self.product(rows.flatten(0, 1)).view(*rows.shape[:2], -1)
