"""A voice's network with loaded weights, shared in the process."""

from __future__ import annotations

from pathlib import Path

import torch

from voicegraph.graph.files.models import load_state, shared_file
from voicegraph.nodes.layers.packed import can_pack
from voicegraph.nodes.synth._weight_norm import fold
from voicegraph.nodes.synth.network import Network
from voicegraph.nodes.synth.voice_file import NOUN, build, open_voice
from voicegraph.schemas.voice_card import VoiceCard


class Voice:
    """The card of a voice, and its network on one device in one dtype."""

    def __init__(self, card: VoiceCard, network: Network) -> None:
        self.card = card
        self.network = network


def load_voice(path: Path, device: torch.device, dtype: torch.dtype) -> Voice:
    """The voice in a file, loaded once for each device and dtype.

    Raises:
        WeightsError: if it cannot be used.
    """
    return shared_file("synth.rvc", path, lambda: _load(path, device, dtype), device, dtype)


def _load(path: Path, device: torch.device, dtype: torch.dtype) -> Voice:
    found = open_voice(path)
    network = build(found.card)
    with torch.inference_mode(False), torch.no_grad():
        load_state(network, fold(found.tensors()), path, NOUN)
        # Folded in float32, whatever the dtype of the file and of the computation.
        network.requires_grad_(False).fold()
        network = network.to(device, dtype).eval()
        if can_pack(device, dtype):
            network.pack()
        return Voice(found.card, network)
