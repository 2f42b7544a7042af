"""A voice's network with loaded weights, shared in the process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.graph.files.models import load_state
from voicegraph.nodes.layers.form import Form
from voicegraph.nodes.layers.network import load_network
from voicegraph.nodes.synth._weight_norm import fold
from voicegraph.nodes.synth.network import VoiceNetwork
from voicegraph.nodes.synth.voice_file import NOUN, VoiceFile, build, open_voice
from voicegraph.schemas.voice_card import VoiceCard


@dataclass(frozen=True, slots=True)
class Voice:
    """The card of a voice, and its network on one device in one form."""

    card: VoiceCard
    network: VoiceNetwork


def load_voice(path: Path, device: torch.device, form: Form) -> Voice:
    """The voice in a file; its network is loaded once for each device and form.

    Raises:
        WeightsError: if it cannot be used.
    """
    found = open_voice(path)

    def make() -> VoiceNetwork:
        return build_voice(found)

    network = load_network(VoiceNetwork, found.archive, make, device, form)
    return Voice(found.card, network)


def build_voice(found: VoiceFile) -> VoiceNetwork:
    """The plain network of a voice, with norms and speakers folded: float32, on the CPU.

    Raises:
        WeightsError: if a tensor holds NaN or infinity.
    """
    network = build(found.card, found.folded)
    with torch.no_grad():
        load_state(network, fold(found.tensors()), found.archive.path, NOUN)
        network.requires_grad_(False)
        if not found.folded:
            network.fold()
    return network
