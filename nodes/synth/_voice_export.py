"""An RVC voice as other runtimes take it: which frames are decoded is an input, and so is noise.

Names and meanings of the inputs are those of w-okada's voices (``feats``, ``p_len``, ``pitch``,
``pitchf``, ``sid``), of deiteris' (``skip_head``, ``return_length``, ``formant_length``) and, for
the noise of the prior, of RVC's own export (``rnd``). What w-okada's programs do not know may be
left out: then everything is decoded, and noise is drawn inside, as in their files.

The network of the node works on views of memory and skips what does not reach the decoded frames;
exporters refuse the one and hold the other fixed. Here relative positions are gathered, and the
text encoder gives all frames.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.synth import _flow as flow
from voicegraph.nodes.synth import _source as source
from voicegraph.nodes.synth._attention import Attention
from voicegraph.nodes.synth.network import VoiceNetwork


class GatheredAttention(nn.Module):
    """The output of an :class:`Attention` for all frames at once."""

    def __init__(self, plain: Attention) -> None:
        super().__init__()
        self.plain = plain

    def forward(self, x: torch.Tensor, exists: torch.Tensor) -> torch.Tensor:
        """``[1, frames, channels]``, the same; ``exists`` is bool ``[1, frames]``."""
        plain, reach = self.plain, self.plain.window
        heads = (plain.heads, x.shape[2] // plain.heads)
        query, key, value = (
            _projected(layer, x).unflatten(2, heads).transpose(1, 2)
            for layer in (plain.conv_q, plain.conv_k, plain.conv_v)
        )
        query = query * (1 / math.sqrt(heads[1]))
        places = torch.arange(x.shape[1], device=x.device)
        # Of each pair of frames the number of their distance; those further apart have none.
        distance = places[None, :] - places[:, None] + reach
        near = (distance >= 0) & (distance <= 2 * reach)
        number = distance.clamp(0, 2 * reach).expand(1, heads[0], -1, -1)
        by_distance = query @ plain.emb_rel_k.transpose(1, 2)
        scores = query @ key.transpose(2, 3) + by_distance.gather(3, number) * near
        weights = scores.masked_fill(~exists[:, None, None], -torch.inf).softmax(-1)
        # Of each frame those around it by distance; beyond the ends there is none.
        around = places[:, None] + torch.arange(-reach, reach + 1, device=x.device)
        inside = (around >= 0) & (around <= places[-1])
        around = around.clamp(min=0).minimum(places[-1]).expand(1, heads[0], -1, -1)
        found = weights @ value + (weights.gather(3, around) * inside) @ plain.emb_rel_v
        return _projected(plain.conv_o, found.transpose(1, 2).flatten(2))


def _projected(layer: nn.Conv1d, x: torch.Tensor) -> torch.Tensor:
    return functional.linear(x, layer.weight[:, :, 0], layer.bias)


class PlainVoice(nn.Module):
    """A plain network with the same weights, in standard operators; for a voice with pitch.

    Args:
        network: plain, in any dtype, with norms and speakers folded.
    """

    def __init__(self, network: VoiceNetwork) -> None:
        super().__init__()
        self.network = network
        attentions = []
        for layer in network.enc_p.encoder.attn_layers:
            assert isinstance(layer, Attention)
            attentions.append(GatheredAttention(layer))
        self.attentions = nn.ModuleList(attentions)

    def forward(
        self,
        feats: torch.Tensor,
        p_len: torch.Tensor,
        pitch: torch.Tensor,
        pitchf: torch.Tensor,
        sid: torch.Tensor,
        skip_head: torch.Tensor,
        return_length: torch.Tensor,
        formant_length: torch.Tensor,
        rnd: torch.Tensor,
        source_noise: torch.Tensor,
        noise_scale: torch.Tensor,
        source_noise_scale: torch.Tensor,
    ) -> torch.Tensor:
        """Audio ``[samples]``; ``_voice_interface`` describes the arguments."""
        window = _Window(feats.shape[1], p_len, skip_head, return_length, formant_length)
        z = self.latents(feats, pitch, sid, window, rnd, noise_scale)
        merged = self.harmonics(pitchf, window, source_noise, source_noise_scale)
        return self.decoded(z, merged, sid)

    def latents(
        self,
        feats: torch.Tensor,
        pitch: torch.Tensor | None,
        sid: torch.Tensor,
        window: _Window,
        rnd: torch.Tensor,
        noise_scale: torch.Tensor,
    ) -> torch.Tensor:
        """Input of the decoder, ``[1, channels, frames to decode]``."""
        net = self.network
        mean, log_spread = self._prior(feats.to(net.decoder_biases.dtype), pitch, window.exists)
        noise = rnd + torch.randn_like(mean, dtype=torch.float32) * noise_scale
        z = mean + noise.to(mean.dtype) * log_spread.exp()
        z = z.index_select(2, window.reached)
        exists = window.exists[:, None].index_select(2, window.reached).to(z.dtype)
        z = self._flowed(z, net.flow_biases.index_select(0, sid)[0], exists)
        z = z.index_select(2, window.decoded - window.head)
        return stretched(z, window.count, window.length)

    def harmonics(
        self,
        pitchf: torch.Tensor,
        window: _Window,
        source_noise: torch.Tensor,
        source_noise_scale: torch.Tensor,
    ) -> torch.Tensor:
        """The sine source ``[1, 1, samples to decode]``, merged."""
        net = self.network
        samples = math.prod(net.config.upsample_rates)
        f0 = pitchf.index_select(1, window.decoded)
        wave = source.sine(f0, samples, net.config.sample_rate)
        noise = source_noise + torch.randn_like(wave) * source_noise_scale
        level = source.noise_level(f0, 1.0)[:, :, None].expand(-1, -1, samples).flatten(1)
        merged = net.dec.m_source(wave + noise * level)
        return stretched(merged, window.count * samples, window.length * samples)

    def decoded(
        self, z: torch.Tensor, merged: torch.Tensor | None, sid: torch.Tensor
    ) -> torch.Tensor:
        """Audio ``[samples]`` of latents and source."""
        bias = self.network.decoder_biases.index_select(0, sid)[0]
        return self.network.dec(z, merged, bias).float().flatten()

    def _prior(
        self, content: torch.Tensor, pitch: torch.Tensor | None, exists: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log spread of the prior of all frames, ``[1, channels, frames]``."""
        text = self.network.enc_p
        x = text.embedded(content, pitch)
        encoder = text.encoder
        for attend, norm_1, feed_forward, norm_2 in zip(
            self.attentions,
            encoder.norm_layers_1,
            encoder.ffn_layers,
            encoder.norm_layers_2,
            strict=True,
        ):
            x = norm_1(x + attend(x, exists))
            x = norm_2(x + feed_forward(x * exists[..., None], exists))
        mean, log_spread = text.proj(x.transpose(1, 2)).chunk(2, 1)
        return mean, log_spread

    def _flowed(self, z: torch.Tensor, biases: torch.Tensor, exists: torch.Tensor) -> torch.Tensor:
        """All frames through the flow; those near the ends of ``z`` depend on what is cut off."""
        low, high = (z * exists).chunk(2, 1)
        for number, coupling in enumerate(self.network.flow.couplings):
            if number % 2 == 0:
                low = low - coupling(high, biases[number], exists) * exists
            else:
                high = high - coupling(low, biases[number], exists) * exists
        return torch.cat((low, high), 1)


class _Window:
    """Which frames are decoded, and which of them exist; tensors throughout, so that all vary.

    Attributes:
        exists: bool ``[1, frames]``.
        head: the first frame that reaches the decoded ones.
        count: number of decoded frames.
        reached: numbers of the frames that the flow works on.
        decoded: numbers of the decoded frames.
        length: number of frames that the decoder makes of them.
    """

    def __init__(
        self,
        frames: int,
        p_len: torch.Tensor,
        skip_head: torch.Tensor,
        return_length: torch.Tensor,
        formant_length: torch.Tensor,
    ) -> None:
        places = torch.arange(frames, device=p_len.device)
        self.exists = places[None] < p_len[:, None]
        self.count = torch.where(return_length > 0, return_length, places[-1] + 1 - skip_head)
        self.head = (skip_head - flow.REACH).clamp(min=0)
        end = (skip_head + self.count + flow.REACH).minimum(places[-1] + 1)
        self.reached = counted(end - self.head) + self.head
        self.decoded = counted(self.count) + skip_head
        self.length = torch.where(formant_length > 0, formant_length, self.count)


def counted(count: torch.Tensor) -> torch.Tensor:
    """``0, 1 .. count - 1`` int64, of a number that an exporter must not hold fixed."""
    if torch.jit.is_tracing():
        return torch.arange(count)  # pyright: ignore[reportCallIssue, reportArgumentType]
    number = count.item()
    torch._check(number >= 2)  # pyright: ignore[reportArgumentType]
    return torch.arange(number)  # pyright: ignore[reportArgumentType]


def stretched(x: torch.Tensor, old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    """Linear interpolation from ``old`` to ``new`` frames, as ``functional.interpolate`` does it.

    ``[1, channels, old]`` -> ``[1, channels, new]``; the same bits if both are equal.
    """
    place = ((counted(new) + 0.5) * (old / new) - 0.5).clamp(min=0)
    before = place.floor().long()
    after = (before + 1).minimum(old - 1)
    share = (place - before).to(x.dtype)
    low, high = x.index_select(2, before), x.index_select(2, after)
    return low + share * (high - low)


class PlainVoiceWithoutPitch(PlainVoice):
    """The same for a voice without pitch, which has neither a source nor its noise."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        feats: torch.Tensor,
        p_len: torch.Tensor,
        sid: torch.Tensor,
        skip_head: torch.Tensor,
        return_length: torch.Tensor,
        formant_length: torch.Tensor,
        rnd: torch.Tensor,
        noise_scale: torch.Tensor,
    ) -> torch.Tensor:
        """Audio ``[samples]``."""
        window = _Window(feats.shape[1], p_len, skip_head, return_length, formant_length)
        return self.decoded(self.latents(feats, None, sid, window, rnd, noise_scale), None, sid)
