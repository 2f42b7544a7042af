"""The network of a source-filter voice: content, pitch and level to two spectral envelopes.

Frames come every 10 ms and lie ``[streams, frames, channels]``. The first convolution looks three
frames ahead, all others are causal. Their past inputs are passed from call to call, so that blocks
of any size give the same result.

The blocks are those of Z. Liu et al., "A ConvNet for the 2020s", CVPR 2022, in one dimension and
causal. The two envelopes, one for pulses and one for noise, are an old idea: J. Makhoul et al., "A
mixed-source model for speech compression and synthesis", JASA 64, 1978; its network form is that of
X. Wang et al., "Neural source-filter waveform models", IEEE/ACM TASLP 28, 2020.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from types import MappingProxyType

import torch
from torch import nn

from voicegraph.nodes.layers.form import PACKED_FLOAT32
from voicegraph.nodes.layers.network import Network
from voicegraph.nodes.synth._minimum_phase import filter_frames, overlap_add
from voicegraph.nodes.synth._source_filter_blocks import (
    SOURCE_FILTER_PACKERS,
    Block,
    FrameConvolution,
)
from voicegraph.schemas.source_filter_card import SourceFilterSizes

AHEAD = 3
"""Look-ahead of the first convolution in frames."""
SCALARS = 3
"""Inputs besides the content: logarithm of F0, voicing, level."""
SOURCES = 2
"""Pulses and noise."""
_SILENT = 0.05
"""Scale of the last layer's initial weights: small, so that both envelopes are flat."""
_BEGIN = (-3.0, -5.0)
"""Natural logarithms of the envelopes' magnitude before training: about that of speech."""
_LOUDEST = 8.0
"""Upper limit of the log magnitude: far above any sound, far below overflow."""


class SourceFilterNetwork(Network):
    """Content features, F0 and level to envelopes, with which the sources are filtered.

    ``content_mean`` and ``content_scale`` ``[content]`` bring the features to mean 0, variance 1.
    """

    packings = MappingProxyType({PACKED_FLOAT32: SOURCE_FILTER_PACKERS})
    content_mean: torch.Tensor
    content_scale: torch.Tensor

    def __init__(self, sizes: SourceFilterSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.register_buffer("content_mean", torch.zeros(sizes.content))
        self.register_buffer("content_scale", torch.ones(sizes.content))
        self.first = FrameConvolution(sizes.content + SCALARS, sizes.channels, 2 * AHEAD + 1)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.blocks))
        self.norm = nn.LayerNorm(sizes.channels)
        self.last = nn.Linear(sizes.channels, SOURCES * sizes.bands)
        with torch.no_grad():
            self.last.weight.mul_(_SILENT)
            self.last.bias.copy_(torch.tensor(_BEGIN).repeat_interleave(sizes.bands))

    def controls(
        self, content: torch.Tensor, f0: torch.Tensor, level: torch.Tensor
    ) -> torch.Tensor:
        """The network's input, ``[streams, frames, content + 3]``.

        Args:
            content: ``[streams, frames, content]``.
            f0: Hz ``[streams, frames]``, 0 where unvoiced.
            level: dB of full scale ``[streams, frames]``.
        """
        voiced = (f0 > 0).to(content.dtype)
        height = 2 * torch.log2(f0.clamp_min(1.0) / self.sizes.reference_hz) * voiced
        scalars = torch.stack((height, voiced, level / 20 + 1.5), -1)
        return torch.cat(((content - self.content_mean) * self.content_scale, scalars), -1)

    def bands(
        self, controls: torch.Tensor, history: Sequence[torch.Tensor] = ()
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Natural log magnitudes in the bands, and the history for the next call.

        Args:
            controls: ``[streams, frames + 6, content + 3]``, from three frames before the first
                output frame to three after the last.
            history: ``[streams, taps - 1, channels]`` for each block, from the previous call; empty
                for zeros.

        Returns:
            ``[streams, frames, 2, bands]``, pulses and noise, and the new history.
        """
        x = self.first(controls)
        kept: list[torch.Tensor] = []
        for number, block in enumerate(self.blocks):
            past = history[number] if history else x.new_zeros(self.history_shape(len(x)))
            wide = torch.cat((past, x), 1)
            kept.append(wide[:, x.shape[1] :])
            x = block(wide)
        return self.last(self.norm(x)).unflatten(2, (SOURCES, self.sizes.bands)), kept

    def history_shape(self, streams: int) -> tuple[int, int, int]:
        """Shape of each block's history: ``(streams, taps - 1, channels)``."""
        return streams, self.sizes.taps - 1, self.sizes.channels

    def envelopes(self, bands: torch.Tensor, stretch: float | torch.Tensor = 1.0) -> torch.Tensor:
        """Natural log magnitudes in every bin: ``[..., bands]`` -> ``[..., bins]``.

        Linear interpolation between the bands. Frequency f is moved to f * ``stretch``, which is a
        tensor ``[]`` in an exported network.
        """
        sizes = (self.sizes.sample_rate, self.sizes.fft, self.sizes.bands)
        if isinstance(stretch, torch.Tensor):
            below, share = _places(*sizes, stretch)
            above, share = below + 1, share.to(bands.dtype)
        else:
            below, above, share = _positions(*sizes, stretch, bands.device, bands.dtype)
        low, high = bands.index_select(-1, below), bands.index_select(-1, above)
        return torch.lerp(low, high, share).clamp_max(_LOUDEST)

    def forward(self, controls: torch.Tensor, sources: torch.Tensor) -> torch.Tensor:
        """A whole excerpt at once, for training.

        Args:
            controls: as for :meth:`bands`, ``frames + 6``.
            sources: pulses and noise ``[streams, 2, (frames + 1) * hop]``, from one frame before
                the first wanted on.

        Returns:
            ``[streams, frames * hop]``: from one frame before the first wanted to the last.
        """
        bands, _ = self.bands(controls)
        frames = filter_frames(sources, self.envelopes(bands), self.sizes.hop)
        return overlap_add(frames, self.sizes.hop)[0]


@functools.lru_cache(maxsize=64)
def _positions(
    rate: int, fft: int, bands: int, stretch: float, device: torch.device, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The band below each bin, the one above, and the position between them: ``[bins]`` each."""
    with torch.inference_mode(False):  # a cached constant may be used outside of inference mode
        below, share = _places(rate, fft, bands, stretch)
        return below.to(device), below.to(device) + 1, share.to(device, dtype)


def _places(
    rate: int, fft: int, bands: int, stretch: float | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The band below each bin, int64 ``[bins]``, and the position above it, float32 ``[bins]``.

    Bands are equally spaced on the mel scale from 0 Hz to half the sample rate.
    """
    hertz = torch.arange(fft // 2 + 1, dtype=torch.float64) * rate / fft / stretch
    place = 2595 * torch.log10(1 + hertz / 700) * ((bands - 1) / _mel(rate / 2))
    place = place.clamp_max(bands - 1)
    below = place.floor().clamp_max(bands - 2)
    return below.long(), (place - below).float()


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)
