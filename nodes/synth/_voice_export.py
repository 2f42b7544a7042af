"""An RVC voice as other runtimes take it: which frames are decoded is an input, and so is noise.

Names and meanings of the inputs are those of w-okada's voices (``feats``, ``p_len``, ``pitch``,
``pitchf``, ``sid``), of deiteris' (``skip_head``, ``return_length``, ``formant_length``) and, for
the noise of the prior, of RVC's own export (``rnd``). What w-okada's programs do not know may be
left out: then everything is decoded, and noise is drawn inside, as in their files.

The network of the node works on views of memory and skips what does not reach the decoded frames;
exporters refuse the one and hold the other fixed. Here the network is in its portable form, and the
text encoder gives all frames.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.jit import is_tracing  # pyright: ignore[reportPrivateImportUsage]

from voicegraph.nodes.synth import _flow as flow
from voicegraph.nodes.synth import _source as source
from voicegraph.nodes.synth.network import VoiceNetwork


class PortableVoice(nn.Module):
    """A voice with pitch; what is decoded, and all noise, is given.

    Args:
        network: in a portable form, with norms and speakers folded.
    """

    def __init__(self, network: VoiceNetwork) -> None:
        super().__init__()
        self.network = network

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
        content = feats.to(net.decoder_biases.dtype)
        mean, log_spread = net.enc_p(content, pitch, 0, window.exists)
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
    """``0, 1 .. count - 1`` int64, for a ``count`` that is known when the network runs, 2 at least.

    An exporter must not hold it fixed.
    """
    if is_tracing():  # a tensor is recorded, and a number would be held fixed
        return torch.arange(count)  # pyright: ignore[reportCallIssue, reportArgumentType]
    number: Any = count.item()
    torch._check(number >= 2)
    return torch.arange(number)


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


class PortableVoiceWithoutPitch(PortableVoice):
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
