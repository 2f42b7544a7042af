"""The network of a voice as a stream: what it remembers, and one block of it."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import nn

from voicegraph.nodes.layers.form import PACKED_BFLOAT16, PACKED_FLOAT32, PORTABLE_FLOAT32
from voicegraph.nodes.layers.network import Network
from voicegraph.nodes.layers.packers import BFLOAT16_PACKERS, FLOAT32_PACKERS
from voicegraph.nodes.layers.valid_convolution import (
    FinalConvolution,
    ValidConvolution,
    packed_valid_convolution,
)
from voicegraph.nodes.synth.network import VoiceNetwork, prior_packers
from voicegraph.schemas.voice_card import VoiceConfig

from . import _flow as flow
from . import _source as source
from ._attention import Attention, PortableAttention
from ._decoder import Decoder
from ._stream_tails import StreamTails
from ._streaming_decoder import StreamingDecoder
from ._streaming_residual import StreamingPair, packed_pair
from ._text_memory import TextMemory


@dataclass(frozen=True, slots=True)
class StreamSpan:
    """The frames of 10 ms of each call, counted from its newest.

    Attributes:
        new: frames that the call before did not have.
        again: earlier frames that the text encoder computes again.
        past: settled frames before them that it attends to; 0 remembers nothing.
        ahead: newest frames that are not decoded yet.
    """

    new: int
    again: int
    past: int
    ahead: int

    @property
    def flow_frames(self) -> int:
        """Frames of the flow's input: those that affect the decoded ones, and those after them."""
        return flow.REACH + self.new + self.ahead

    @property
    def kept_priors(self) -> int:
        """Frames whose prior is remembered, since the text encoder does not compute it again."""
        return max(flow.REACH + self.ahead - self.again, 0)


@dataclass(frozen=True, slots=True)
class StreamTensors:
    """What some streams remember; changed in place.

    Attributes:
        position: int64 ``[streams]``, frames before the call, on the CPU.
        pairs: ``[streams, layers, past, 2 hidden]``, as in ``TextMemory``.
        inputs: ``[streams, layers, before, hidden]``, as in ``TextMemory``.
        prior: ``[streams, 2 inter channels, kept priors]``.
        phase: ``[streams]``, of the source in periods.
        tails: ``[streams, values]``, as in ``StreamTails``.
    """

    position: torch.Tensor
    pairs: torch.Tensor
    inputs: torch.Tensor
    prior: torch.Tensor
    phase: torch.Tensor
    tails: torch.Tensor

    @property
    def earliest(self) -> int:
        """The fewest frames that a stream has had."""
        return int(self.position.min())

    def decoder_tails(self, position: torch.Tensor | None) -> StreamTails:
        """The decoder's tails for one call; see ``StreamTails``."""
        return StreamTails(self.tails, position)


class StreamingNetwork(Network):
    """The networks of one voice, to be run block by block.

    Args:
        whole: the plain network with folded weights, which it takes over; float32, on the CPU.

    Attributes:
        identity: a number of the voice: what a stream remembers of one means nothing to another.
    """

    packings = MappingProxyType(
        {
            PACKED_FLOAT32: {
                **FLOAT32_PACKERS,
                **prior_packers(torch.float32),
                StreamingPair: packed_pair,
                ValidConvolution: packed_valid_convolution,
                FinalConvolution: packed_valid_convolution,
            },
            PORTABLE_FLOAT32: {Attention: PortableAttention},
            # Short convolutions would lose too much in bfloat16.
            PACKED_BFLOAT16: {
                **BFLOAT16_PACKERS,
                **prior_packers(torch.bfloat16),
                ValidConvolution: functools.partial(packed_valid_convolution, dtype=torch.bfloat16),
                FinalConvolution: packed_valid_convolution,
            },
        }
    )
    flow_biases: torch.Tensor
    decoder_biases: torch.Tensor

    def __init__(self, whole: VoiceNetwork) -> None:
        super().__init__()
        assert isinstance(whole.dec, Decoder)
        self.config = whole.config
        self.f0 = whole.f0
        self.enc_p, self.flow = whole.enc_p, whole.flow
        self.dec = StreamingDecoder(whole.dec)
        self.flow_biases = nn.Buffer(whole.flow_biases)
        self.decoder_biases = nn.Buffer(whole.decoder_biases)
        self.identity = _identity(self.flow_biases, self.decoder_biases, self.enc_p.proj.weight)

    def empty(self, span: StreamSpan, streams: int, device: torch.device) -> StreamTensors:
        """What new streams remember: nothing, before their first frame."""
        encoder, hidden = self.enc_p.encoder, self.config.hidden_channels
        layers = len(encoder.attn_layers)
        before = encoder.before if span.past else 0

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(streams, *shape, device=device)

        return StreamTensors(
            position=torch.zeros(streams, dtype=torch.int64),
            pairs=zeros(layers, span.past, 2 * hidden),
            inputs=zeros(layers, before, hidden),
            prior=zeros(2 * self.config.inter_channels, span.kept_priors),
            phase=zeros(),
            tails=zeros(self.dec.held),
        )

    def latents(
        self,
        content: torch.Tensor,
        bins: torch.Tensor | None,
        speaker: int | torch.Tensor,
        span: StreamSpan,
        noise: torch.Tensor | None,
        held: StreamTensors,
    ) -> torch.Tensor:
        """The latents of the frames that are decoded next, ``[streams, inter channels, new]``.

        Args:
            content: ``[streams, again + new, dim]`` float32.
            bins: int64 ``[streams, again + new]``; None for a voice without pitch.
            speaker: number of the speaker; in an exported network a tensor ``[1]``.
            span: which frames these are.
            noise: ``[streams, inter channels, flow frames]``, in units of the prior's standard
                deviation; None adds nothing.
            held: what the streams remember.
        """
        dtype, earliest = self.decoder_biases.dtype, held.earliest
        begun = held.position.to(content.device)
        exists = memory = None
        if earliest < span.again:
            frames = torch.arange(-span.again, span.new, device=content.device)
            exists = frames >= -begun[:, None]
        if span.past:
            older = begun - span.again if earliest < span.again + span.past else None
            if older is not None and exists is None:
                exists = torch.ones(content.shape[:2], dtype=torch.bool, device=content.device)
            memory = TextMemory(held.pairs, held.inputs, span.new, older)
        first = max(span.again - flow.REACH - span.ahead, 0)
        made = torch.cat(self.enc_p(content.to(dtype), bins, first, exists, memory), 1)
        if span.kept_priors:
            made = torch.cat((held.prior.to(dtype), made), 2)
            held.prior.copy_(made[:, :, span.new : span.new + span.kept_priors])
        z, log_spread = made.chunk(2, 1)
        if noise is not None:
            z = z.addcmul(noise.to(dtype), log_spread.exp())
        shown = None
        if earliest < flow.REACH + span.ahead:
            frames = torch.arange(-flow.REACH - span.ahead, span.new, device=z.device)
            shown = (frames >= -begun[:, None]).to(dtype)[:, None]
            z = z * shown
        biases = _of_speaker(self.flow_biases, speaker)
        return self.flow(z.contiguous(), biases, flow.REACH, span.new, shown)

    def forward(
        self,
        z: torch.Tensor,
        wave: torch.Tensor | None,
        speaker: int | torch.Tensor,
        span: StreamSpan,
        held: StreamTensors,
    ) -> torch.Tensor:
        """The next samples, and one call more in ``held``.

        Args:
            z: the result of :meth:`latents`.
            wave: the sine source of the frames of ``z``, ``[streams, samples]`` float32; None for
                a voice without pitch.
            speaker: number of the speaker; in an exported network a tensor ``[1]``.
            span: which frames these are.
            held: what the streams remember.

        Returns:
            ``[streams, 1, new * samples a frame]`` float32, ``dec.lookahead`` samples late.
        """
        position, tails = held.position - span.ahead, held.decoder_tails(None)
        merged = self.dec.m_source(wave)[:, 0] if wave is not None else None
        if held.earliest - span.ahead < self.dec.settled:
            position = position.to(z.device)
            frames = torch.arange(span.new, device=z.device) + position[:, None]
            exists = (frames >= 0).to(z.dtype)
            z = z * exists[:, None]
            if merged is not None:
                merged = merged * exists.repeat_interleave(self.dec.samples, 1)
            tails = held.decoder_tails(position)
        held.position.add_(span.new)
        bias = _of_speaker(self.decoder_biases, speaker)
        return self.dec(z.transpose(1, 2), merged, bias, tails)[:, None].float()

    def source(self, f0: torch.Tensor, span: StreamSpan, held: StreamTensors) -> torch.Tensor:
        """The sine source of F0 in Hz ``[streams, new]``: ``[streams, samples]``, float32."""
        first = span.ahead - held.position.to(f0.device)
        frames = torch.arange(span.new, device=f0.device)
        f0 = torch.where(frames >= first[:, None], f0, 0.0)
        return source.sine(f0, self.dec.samples, self.config.sample_rate, held.phase)


def lookahead_of(config: VoiceConfig, f0: bool) -> int:
    """Samples that the streaming decoder of a voice is late; reads no weights."""
    return _lookahead(config.model_dump_json(), f0)


@functools.lru_cache(maxsize=64)
def _lookahead(config: str, f0: bool) -> int:
    with torch.device("meta"):
        return StreamingDecoder(Decoder(VoiceConfig.model_validate_json(config), f0)).lookahead


def _identity(*weights: torch.Tensor) -> int:
    """63 bits of a hash of weights that differ between any two voices."""
    digest = hashlib.blake2b(digest_size=8)
    for tensor in weights:
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return int.from_bytes(digest.digest(), "little") >> 1


def _of_speaker(biases: torch.Tensor, speaker: int | torch.Tensor) -> torch.Tensor:
    """The biases of one speaker, of ``[speakers, ...]``."""
    if isinstance(speaker, torch.Tensor):
        return biases.index_select(0, speaker)[0]
    return biases[speaker]
