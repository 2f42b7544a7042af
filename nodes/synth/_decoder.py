"""The decoder of a voice: latents to audio, HiFi-GAN with or without a sine source (NSF).

J. Kong, J. Kim, J. Bae, "HiFi-GAN", NeurIPS 2020; the source fed into every stage as in X. Wang,
S. Takaki, J. Yamagishi, "Neural source-filter waveform models", IEEE/ACM TASLP 28, 2020.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.upsampling import transposed_padding
from voicegraph.schemas.voice_card import VoiceConfig

from ._residual import SLOPE, PairedBlock, SingleBlock
from ._source import Source

LAST_SLOPE = 0.01


class Decoder(nn.Module):
    """Transposed convolutions up to the sample rate, each followed by residual blocks.

    ``conv_pre`` runs at the latents' rate; stage ``i`` multiplies it by ``upsample_rates[i]``. With
    ``f0`` the source is brought to each stage's rate by a strided convolution and added.
    """

    def __init__(self, config: VoiceConfig, f0: bool) -> None:
        super().__init__()
        width = config.upsample_initial_channel
        block = PairedBlock if config.resblock == "1" else SingleBlock
        shapes = list(
            zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True)
        )
        self.f0 = f0
        self.kernels = len(shapes)
        self.conv_pre = nn.Conv1d(config.inter_channels, width, 7, padding=3)
        self.cond = nn.Conv1d(config.gin_channels, width, 1)
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        stages = list(zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True))
        for rate, kernel in stages:
            padding, output_padding = transposed_padding(rate, kernel)
            self.ups.append(
                nn.ConvTranspose1d(width, width // 2, kernel, rate, padding, output_padding)
            )
            width //= 2
            self.resblocks.extend(block(width, k, d) for k, d in shapes)
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=False)
        if f0:
            self.m_source = Source()
            self.noise_convs = nn.ModuleList(
                self._source_downsampling(config, stage) for stage in range(len(stages))
            )

    @staticmethod
    def _source_downsampling(config: VoiceConfig, stage: int) -> nn.Conv1d:
        """The strided convolution that downsamples the source to a stage's rate."""
        width = config.upsample_initial_channel // 2 ** (stage + 1)
        stride = math.prod(config.upsample_rates[stage + 1 :])
        kernel = 2 * stride - stride % 2  # 1 at the last stage
        return nn.Conv1d(1, width, kernel, stride, (kernel - stride) // 2)

    def fold(self, speakers: torch.Tensor) -> torch.Tensor:
        """Biases of ``conv_pre`` by speaker, ``[speakers, width]``; once, after loading.

        Args:
            speakers: embeddings ``[speakers, dim]``.
        """
        assert self.conv_pre.bias is not None
        biases = functional.linear(speakers, self.cond.weight[:, :, 0], self.cond.bias)
        biases += self.conv_pre.bias
        del self.cond
        return biases

    def forward(
        self, z: torch.Tensor, source: torch.Tensor | None, bias: torch.Tensor
    ) -> torch.Tensor:
        """Audio from latents.

        Args:
            z: ``[streams, inter channels, frames]``.
            source: ``[streams, 1, samples]``; None for a voice without pitch.
            bias: a speaker's row of the result of :meth:`fold`.

        Returns:
            ``[streams, 1, samples]`` in -1..1.
        """
        x = torch.conv1d(z, self.conv_pre.weight, bias, padding=3)
        for i, up in enumerate(self.ups):
            x = up(functional.leaky_relu_(x, SLOPE))
            if source is not None:
                x += self.noise_convs[i](source)
            x = self._blocks(i, x)
        return self.conv_post(functional.leaky_relu_(x, LAST_SLOPE)).tanh_()

    def _blocks(self, stage: int, x: torch.Tensor) -> torch.Tensor:
        """The mean of the outputs of a stage's blocks."""
        blocks = self.resblocks[stage * self.kernels : (stage + 1) * self.kernels]
        total = None
        for block in blocks:
            made = block(x)
            total = made if total is None else total.add_(made)
        assert total is not None
        return total.div_(self.kernels)
