"""A small Conformer, trained as a phone recogniser: audio to features every 20 ms.

The architecture is that of A. Gulati et al., "Conformer: convolution-augmented transformer for
speech recognition", Interspeech 2020, without positional encoding, trained with connectionist
temporal classification (A. Graves et al., ICML 2006). Sizes and constants are those of the phone
recogniser in the package hama.

The layout is ``[streams, frames, channels]``. ``n`` samples give ``n // 320 + 1`` frames; frame
``k`` is centred at sample ``320 k``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.depthwise import DepthwiseConvolution, PackedDepthwiseConvolution
from voicegraph.nodes.layers.form import PACKED_FLOAT32, PORTABLE_FLOAT32
from voicegraph.nodes.layers.half_linear import linear_for_few_rows
from voicegraph.nodes.layers.network import Network
from voicegraph.nodes.layers.spectrum import PortablePowerSpectrum, PowerSpectrum

WINDOW, HOP = 400, 160
"""Window and hop of the spectrogram in samples."""
STRIDE = 2
"""Spectrogram frames for each feature frame."""
STEP = HOP * STRIDE
"""Samples from one feature frame to the next: 20 ms."""
SHORTEST = WINDOW // 2 + 1
"""Minimum number of samples: fewer cannot be reflected at the ends."""
_SMALLEST = 1e-10
"""Lower limit of the power of a mel band."""

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class PhoneticSizes:
    """Sizes of a network.

    Attributes:
        mels: bands of the spectrogram.
        hidden: width of the features.
        inner: width inside the feed-forward halves.
        blocks: number of Conformer blocks.
        taps: frames under each depthwise convolution.
        tokens: outputs: phones, and marks such as the blank.
        heads: attention heads.
    """

    mels: int
    hidden: int
    inner: int
    blocks: int
    taps: int
    tokens: int
    heads: int

    @classmethod
    def of(cls, shapes: Shapes, heads: int) -> PhoneticSizes:
        """Sizes from the shapes in a file, by the names of ``PhoneticNetwork.state_dict()``.

        Raises:
            KeyError: if a tensor is missing.
            IndexError: if a tensor has too few axes.
        """
        numbers = {int(m[1]) for name in shapes if (m := re.match(r"blocks\.(\d{1,3})\.", name))}
        return cls(
            mels=shapes["filters"][0],
            hidden=shapes["stem.weight"][0],
            inner=shapes["blocks.0.before.up.weight"][0],
            blocks=len(numbers),
            taps=shapes["blocks.0.convolution.depth.weight"][2],
            tokens=shapes["head.weight"][0],
            heads=heads,
        )


class FeedForward(nn.Module):
    """A layer with SiLU, and back to the width of the features."""

    def __init__(self, sizes: PhoneticSizes) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(sizes.hidden)
        self.up = nn.Linear(sizes.hidden, sizes.inner)
        self.down = nn.Linear(sizes.inner, sizes.hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[..., hidden]`` -> the same."""
        return self.down(functional.silu(self.up(self.norm(x))))

    def add_half(self, x: torch.Tensor) -> torch.Tensor:
        """``x`` plus half of the output."""
        return torch.add(x, self(x), alpha=0.5)


class PackedFeedForward(nn.Module):
    """:class:`FeedForward` in float32 with packed weights; only where ``can_pack``."""

    def __init__(self, plain: FeedForward) -> None:
        super().__init__()
        self.norm = plain.norm
        self.up = linear_for_few_rows(plain.up.weight, plain.up.bias, "silu")
        self.down = linear_for_few_rows(plain.down.weight, plain.down.bias)

    def add_half(self, x: torch.Tensor) -> torch.Tensor:
        """As :meth:`FeedForward.add_half`."""
        return torch.add(x, self.down(self.up(self.norm(x))), alpha=0.5)


PHONETIC_PACKERS = {
    FeedForward: PackedFeedForward,
    DepthwiseConvolution: PackedDepthwiseConvolution,
    nn.Linear: lambda plain: linear_for_few_rows(plain.weight, plain.bias),
}
"""For float32 on the CPU."""


class PhoneticNetwork(Network):
    """Audio at 16 kHz -> features at 50 Hz, and log-probabilities of phones.

    The log-mel spectrum is computed in float32 whatever the precision of the rest.
    """

    packings = MappingProxyType(
        {
            PACKED_FLOAT32: PHONETIC_PACKERS,
            PORTABLE_FLOAT32: MappingProxyType({PowerSpectrum: PortablePowerSpectrum}),
        }
    )
    filters: torch.Tensor

    def __init__(self, sizes: PhoneticSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.register_buffer("filters", torch.zeros(sizes.mels, WINDOW // 2 + 1))
        self.spectrum = PowerSpectrum(WINDOW)
        self.stem = nn.Conv1d(sizes.mels, sizes.hidden, 3, STRIDE, 1)
        self.blocks = nn.ModuleList(PhoneticBlock(sizes) for _ in range(sizes.blocks))
        self.head = nn.Linear(sizes.hidden, sizes.tokens)

    def forward(
        self, audio: torch.Tensor, layer: int, first: int = 0, count: int | None = None
    ) -> torch.Tensor:
        """Features after a block.

        Args:
            audio: float32 ``[streams, samples]``, at least ``SHORTEST`` samples.
            layer: after which block, from 1. Later ones are not computed.
            first: the first output frame; the last block computes only what these frames need.
            count: number of output frames; by default all that follow.

        Returns:
            float32 ``[streams, count, hidden]``.

        Raises:
            ValueError: if the audio is too short, or there are no such frames or blocks.
        """
        frames = audio.shape[1] // STEP + 1
        count = frames - first if count is None else count
        if audio.shape[1] < SHORTEST:
            raise ValueError(f"{audio.shape[1]} samples are too few, it takes {SHORTEST} or more")
        if not 1 <= layer <= self.sizes.blocks:
            raise ValueError(f"there is no block {layer}, but 1 to {self.sizes.blocks}")
        if first < 0 or count < 1 or first + count > frames:
            raise ValueError(f"frames {first} to {first + count} are not among the {frames}")
        x = functional.gelu(self.stem(self.log_mel(audio).to(self.stem.weight.dtype)))
        x = x.transpose(1, 2)
        for block in self.blocks[: layer - 1]:
            x = block(x, 0, frames)
        return self.blocks[layer - 1](x, first, count).float()

    def log_probabilities(self, audio: torch.Tensor) -> torch.Tensor:
        """float32 ``[streams, samples]`` -> natural logarithms ``[streams, frames, tokens]``."""
        features = self(audio, self.sizes.blocks).to(self.stem.weight.dtype)
        return self.head(features).float().log_softmax(-1)

    def log_mel(self, audio: torch.Tensor) -> torch.Tensor:
        """float32 ``[streams, samples]`` -> ``[streams, mels, samples // 160 + 1]``.

        The natural logarithm of mel-weighted power under a periodic Hann window; the ends are
        reflected, so that frame ``k`` is centred at sample ``160 k``.
        """
        half = WINDOW // 2
        padded = functional.pad(audio.float()[:, None], (half, half), "reflect")[:, 0]
        return self.log_mel_of(padded.unfold(1, WINDOW, HOP))

    def log_mel_of(self, frames: torch.Tensor) -> torch.Tensor:
        """float32 frames ``[streams, frames, 400]`` -> ``[streams, mels, frames]``."""
        power = self.spectrum(frames)
        with torch.autocast(power.device.type, enabled=False):  # training may run in bfloat16
            mel = self.filters.float() @ power.transpose(1, 2)
        return mel.clamp(min=_SMALLEST).log()


class PhoneticBlock(nn.Module):
    """Half a feed-forward, attention, convolution, half a feed-forward; normalised at the end."""

    def __init__(self, sizes: PhoneticSizes) -> None:
        super().__init__()
        self.reach = sizes.taps // 2
        self.before = FeedForward(sizes)
        self.attention = Attention(sizes)
        self.convolution = Convolution(sizes)
        self.after = FeedForward(sizes)
        self.norm = nn.LayerNorm(sizes.hidden)

    def forward(self, x: torch.Tensor, first: int, count: int) -> torch.Tensor:
        """``[streams, frames, hidden]`` -> frames ``first`` to ``first + count`` of the output.

        Frames beyond the reach of the convolution do not affect them.
        """
        low = max(0, first - self.reach)
        high = min(x.shape[1], first + count + self.reach)
        x = self.before.add_half(x)
        x = x[:, low:high] + self.attention(x, low, high)
        x = x[:, first - low :][:, :count] + self.convolution(x)[:, first - low :][:, :count]
        return self.norm(self.after.add_half(x))


class Attention(nn.Module):
    """Self-attention without positions."""

    def __init__(self, sizes: PhoneticSizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.norm = nn.LayerNorm(sizes.hidden)
        self.inputs = nn.Linear(sizes.hidden, 3 * sizes.hidden)
        self.output = nn.Linear(sizes.hidden, sizes.hidden)

    def forward(self, x: torch.Tensor, low: int, high: int) -> torch.Tensor:
        """The output for frames ``low`` to ``high``, attending to all frames."""
        streams, frames, channels = x.shape
        parts = self.inputs(self.norm(x))
        parts = parts.view(streams, frames, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(query[:, :, low:high], key, value)
        return self.output(y.transpose(1, 2).reshape(streams, high - low, channels))


class Convolution(nn.Module):
    """GLU, a depthwise convolution with folded batch norm, and a pointwise convolution."""

    def __init__(self, sizes: PhoneticSizes) -> None:
        super().__init__()
        hidden, taps = sizes.hidden, sizes.taps
        self.norm = nn.LayerNorm(hidden)
        self.gate = nn.Linear(hidden, 2 * hidden)
        self.depth = DepthwiseConvolution(hidden, taps)
        self.output = nn.Linear(hidden, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, hidden]`` -> the same; zeros lie beyond the ends."""
        gated = functional.glu(self.gate(self.norm(x)), -1)
        before = self.depth.taps // 2
        wide = functional.pad(gated, (0, 0, before, self.depth.taps - 1 - before))
        return self.output(functional.silu(self.depth(wide)))
