"""A voice's streaming network with loaded weights, shared in the process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.nodes.layers.form import Form
from voicegraph.nodes.layers.network import load_network
from voicegraph.nodes.synth.streaming_network import StreamingNetwork
from voicegraph.nodes.synth.voice_file import open_voice
from voicegraph.nodes.synth.voice_network import build_voice
from voicegraph.schemas.voice_card import VoiceCard


@dataclass(frozen=True, slots=True)
class StreamingVoice:
    """The card of a voice, and its streaming network on one device in one form."""

    card: VoiceCard
    network: StreamingNetwork


def load_streaming_voice(path: Path, device: torch.device, form: Form) -> StreamingVoice:
    """The voice in a file; its network is loaded once for each device and form.

    Raises:
        WeightsError: if it cannot be used.
    """
    found = open_voice(path)

    def make() -> StreamingNetwork:
        return StreamingNetwork(build_voice(found))

    network = load_network(StreamingNetwork, found.archive, make, device, form)
    return StreamingVoice(found.card, network)
