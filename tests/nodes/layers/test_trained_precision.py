"""What narrow products do to features that trained weights make of speech.

Random weights cannot judge that: their frames are all alike, or chaotic. The phonetic encoder that
comes with the project is a transformer that was trained on speech. What tells its frames apart is
compared: the mean over time is taken off.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import torch
from torch import nn

from voicegraph import pipelines
from voicegraph.graph.files.models import open_archive
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.nodes.content.phonetic_file import build_phonetic
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.layers.int8_linear import Int8Linear, can_quantise, input_peak
from voicegraph.nodes.layers.packed import PackedLinear, can_pack

from ...tolerance import assert_snr

CPU = torch.device("cpu")
SECONDS = 2.8
"""RVC's window."""
NEWEST = 15
"""Frames that a voice decodes in a block of 250 ms, and its margin."""
pytestmark = pytest.mark.numeric


class _Wide(nn.Module):
    """A layer with float32 around it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(0, -2)).view(*x.shape[:-1], -1).float()


def _network(make: Callable[[nn.Linear], nn.Module] | None) -> PhoneticNetwork:
    path = Path(pipelines.__file__).parent / "models" / "phonetic.safetensors"
    network = build_phonetic(open_archive(path)).requires_grad_(False).eval()
    for module in list(network.modules()):
        for name, child in module.named_children():
            if make is not None and type(child) is nn.Linear:
                setattr(module, name, _Wide(make(child)))
    return network


def _bfloat16(layer: nn.Linear) -> nn.Module:
    return PackedLinear(layer.weight.bfloat16(), layer.bias)


def _int8(layer: nn.Linear) -> nn.Module:
    return Int8Linear(layer.weight, layer.bias)


@pytest.mark.parametrize(
    ("make", "at_least_db"),
    [
        pytest.param(
            _bfloat16,
            40,
            marks=pytest.mark.skipif(not can_pack(CPU, torch.bfloat16), reason="no bfloat16"),
            id="bfloat16",
        ),
        pytest.param(
            _int8,
            28,
            marks=pytest.mark.skipif(
                not can_quantise(CPU) or input_peak() < 127, reason="no products of 8 bits"
            ),
            id="int8",
        ),
    ],
)
def test_the_newest_frames(make: Callable[[nn.Linear], nn.Module], at_least_db: float) -> None:
    samples, rate = soundfile.read(bundled_recording.path(), dtype="float32")
    length = int(SECONDS * rate)
    exact, narrow = _network(None), _network(make)
    layer = exact.sizes.blocks
    wanted, found = [], []
    for end in range(length, min(len(samples), 3 * length), length // 3):
        window = torch.from_numpy(samples[end - length : end])[None]
        wanted.append(exact(window, layer)[0, -NEWEST:])
        found.append(narrow(window, layer)[0, -NEWEST:])
    mean = torch.cat(wanted).mean(0)
    why = "accepted as an approximation of features"
    assert_snr(torch.cat(found) - mean, torch.cat(wanted) - mean, at_least_db, why)
