"""One block of an RVC voice as a stream: content, pitch and random numbers to audio."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from voicegraph.nodes.synth._source import add_noise
from voicegraph.nodes.synth.pitch_bins import coarse_pitch
from voicegraph.nodes.synth.streaming_network import StreamingNetwork, StreamSpan, StreamTensors

SOURCE_NOISE, PRIOR_NOISE = "source_noise", "prior_noise"


def voice_block(
    network: StreamingNetwork,
    span: StreamSpan,
    frames: Mapping[str, torch.Tensor],
    speaker: int | torch.Tensor,
    source_scale: float | torch.Tensor,
    held: StreamTensors,
) -> torch.Tensor:
    """Audio ``[streams, 1, samples]`` of the new frames.

    Args:
        network: of the voice.
        span: which frames these are.
        frames: ``content`` ``[streams, again + new, dim]`` and, for a voice with pitch, ``pitch``
            in Hz ``[streams, again + new]``. Standard normal ``source_noise`` ``[streams,
            samples]``, and ``prior_noise`` ``[streams, inter channels, flow frames]`` in units of
            the prior's standard deviation; without them there is no noise.
        speaker: number of the speaker; in an exported network a tensor ``[1]``.
        source_scale: factor of ``source_noise``; in an exported network a tensor ``[]``.
        held: what the streams remember; changed in place.
    """
    bins = wave = None
    if "pitch" in frames:
        f0 = frames["pitch"]
        bins = coarse_pitch(f0)
        first = span.again - span.ahead
        f0 = f0[:, first : first + span.new]
        wave = network.source(f0, span, held)
        if SOURCE_NOISE in frames:
            wave = add_noise(wave, f0, frames[SOURCE_NOISE], source_scale)
    noise = frames.get(PRIOR_NOISE)
    z = network.latents(frames["content"], bins, speaker, span, noise, held)
    return network(z, wave, speaker, span, held)
