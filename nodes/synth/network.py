"""The network of a voice: text encoder, flow and decoder, applied to a window of frames."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.form import (
    PACKED_BFLOAT16,
    PACKED_FLOAT32,
    PORTABLE_FLOAT16,
    PORTABLE_FLOAT32,
    Packers,
)
from voicegraph.nodes.layers.network import Network
from voicegraph.schemas.voice_card import VoiceConfig

from . import _flow as flow
from . import _source as source
from ._attention import Attention, PortableAttention
from ._decoder import Decoder
from ._packed_decoder import PackedDecoder
from ._packed_flow import PackedCoupling
from ._text_encoder import Encoder, FeedForward, TextEncoder, packed_feed_forward


@dataclass(frozen=True, slots=True)
class Window:
    """Which frames of 10 ms are decoded.

    Attributes:
        skip: frames before the first one decoded; the text encoder uses them all.
        count: frames decoded.
    """

    skip: int
    count: int

    @property
    def head(self) -> int:
        """The first frame of the flow's input."""
        return max(self.skip - flow.REACH, 0)

    def prior_frames(self, frames: int) -> int:
        """Number of input frames of the flow; later ones do not affect the decoded frames."""
        return min(frames, self.skip + self.count + flow.REACH) - self.head


def prior_packers(dtype: torch.dtype) -> Packers:
    """What is packed of text encoder and flow, to compute in ``dtype``."""
    return {
        FeedForward: functools.partial(packed_feed_forward, dtype=dtype),
        flow.Coupling: functools.partial(PackedCoupling, dtype=dtype),
    }


class VoiceNetwork(Network):
    """The networks of one voice file, named as in its state dict.

    Call :meth:`fold` once, after loading the weights and before :meth:`forward`.
    """

    packings = MappingProxyType(
        {
            PACKED_FLOAT32: {**prior_packers(torch.float32), Decoder: PackedDecoder},
            PACKED_BFLOAT16: {
                **prior_packers(torch.bfloat16),
                Decoder: functools.partial(PackedDecoder, dtype=torch.bfloat16),
            },
            PORTABLE_FLOAT32: {Attention: PortableAttention},
            PORTABLE_FLOAT16: {Attention: PortableAttention},
        }
    )
    flow_biases: torch.Tensor
    decoder_biases: torch.Tensor

    def __init__(self, config: VoiceConfig, dim: int, f0: bool, speakers: int) -> None:
        super().__init__()
        self.config = config
        self.f0 = f0
        hidden, inter = config.hidden_channels, config.inter_channels
        encoder = Encoder(
            hidden, config.filter_channels, config.n_heads, config.n_layers, config.kernel_size
        )
        self.enc_p = TextEncoder(dim, inter, hidden, encoder, f0)
        self.dec: Decoder | PackedDecoder = Decoder(config, f0)
        self.flow = flow.Flow(inter, hidden, config.gin_channels)
        # On the meta device, PyTorch's initialisation of an embedding imports its compiler, which
        # takes two seconds, for values that the file replaces.
        self.emb_g = nn.Embedding.from_pretrained(torch.empty(speakers, config.gin_channels))

    def fold(self) -> None:
        """Computes the speaker-dependent biases of all layers once, instead of at every tick."""
        assert isinstance(self.dec, Decoder)
        speakers = self.emb_g.weight
        self.flow_biases = nn.Buffer(self.flow.fold(speakers))
        self.decoder_biases = nn.Buffer(self.dec.fold(speakers))
        del self.emb_g

    def forward(
        self,
        content: torch.Tensor,
        bins: torch.Tensor | None,
        wave: torch.Tensor | None,
        speaker: int,
        window: Window,
        noise: torch.Tensor | None = None,
        frames: int | None = None,
    ) -> torch.Tensor:
        """Audio of a window.

        Args:
            content: ``[streams, frames, dim]`` float32.
            bins: int64 ``[streams, frames]``; None for a voice without pitch.
            wave: the sine source of the decoded frames ``[streams, samples]`` float32; None for a
                voice without pitch.
            speaker: number of the speaker.
            window: which frames are decoded.
            noise: added to the prior's mean in units of its standard deviation, ``[streams, inter
                channels, prior frames of the window]``; None adds nothing.
            frames: the decoded frames are stretched to this number, for a formant shift; None
                keeps them.

        Returns:
            ``[streams, 1, frames * samples a frame]`` float32.
        """
        dtype = self.decoder_biases.dtype
        mean, log_spread = self.enc_p(content.to(dtype), bins, window.head)
        count = window.prior_frames(content.shape[1])
        z = mean[:, :, :count]
        if noise is not None:
            z = z.addcmul(noise.to(dtype), log_spread[:, :, :count].exp())
        z = self.flow(z, self.flow_biases[speaker], window.skip - window.head, window.count)
        merged = self.dec.m_source(wave) if wave is not None else None
        if frames is not None and frames != window.count:
            z = functional.interpolate(z, frames, mode="linear")
            if merged is not None:
                samples = frames * math.prod(self.config.upsample_rates)
                merged = functional.interpolate(merged, samples, mode="linear")
        return self.dec(z, merged, self.decoder_biases[speaker]).float()

    def source(self, f0: torch.Tensor) -> torch.Tensor:
        """The sine source of F0 in Hz ``[streams, frames]``: ``[streams, samples]``, float32."""
        samples = math.prod(self.config.upsample_rates)
        return source.sine(f0, samples, self.config.sample_rate)
