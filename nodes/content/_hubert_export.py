"""A HuBERT encoder as other runtimes take it: layers of standard operators, any length at once.

The network of the node works in pieces, and normalises the first convolution by the covariance of
its input, in float64; exporters hold the pieces fixed, and some runtimes have no float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn import functional

from voicegraph.graph import ExportedNetwork, ExportedTensor
from voicegraph.nodes.content._hubert_network import PIECE, HubertNetwork
from voicegraph.nodes.content.hubert_sizes import EPSILON, STRIDES
from voicegraph.nodes.layers.form import portable
from voicegraph.nodes.layers.network import into_form
from voicegraph.schemas.encoder_card import V1, V2, Chosen

V2_PROJECTED = Chosen(V2.layer, True)
NAMES = {V1: "units9", V2: "unit12", V2_PROJECTED: "unit12s"}
"""Outputs of the file ``contentvec-f.onnx`` of w-okada's and deiteris' programs, which ask for all
three: features by layer and projection."""
_LENGTHS = (16000, 8123, 40321, PIECE * 320 + 17000)
"""Samples of the examples: the traced one, a shorter, a longer, and more than a piece."""


class PortableHubert(nn.Module):
    """An encoder whose first convolution is normalised as published, without float64.

    Args:
        network: in a portable form, with a projection if an output needs one.
        outputs: features in the order in which they come out, by layer and projection.
    """

    def __init__(self, network: HubertNetwork, outputs: tuple[Chosen, ...]) -> None:
        super().__init__()
        self.network, self.outputs = network, outputs

    def forward(self, audio: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """float32 ``[1, samples]`` -> features float32 ``[1, frames, dim]`` of each output."""
        x = self._convolved(audio)
        frames = x.shape[1]
        x = self.network.projected(x)
        x = self.network.norm(x + self.network.position(x))
        made: dict[Chosen, torch.Tensor] = {}
        for number, layer in enumerate(self.network.layers, 1):
            x = layer(x.flatten(0, 1), 1).view(1, frames, -1)
            made[Chosen(number, False)] = x
            if self.network.head is not None and Chosen(number, True) in self.outputs:
                made[Chosen(number, True)] = self.network.head(x)
        return tuple(made[wanted].float() for wanted in self.outputs)

    def _convolved(self, audio: torch.Tensor) -> torch.Tensor:
        """``[1, samples]`` -> ``[1, frames, channels]``."""
        first = self.network.first
        x = functional.conv1d(audio[:, None], first.weight, stride=STRIDES[0])
        channels = x.shape[1]
        x = functional.group_norm(x, channels, first.norm.weight, first.norm.bias, EPSILON)
        x = functional.gelu(x).to(self.network.dtype).transpose(1, 2)
        for conv in self.network.convs:
            x = conv(x)
        return x


def chosen_outputs(layers: int, projection: bool, chosen: Chosen) -> dict[str, Chosen]:
    """The features that an exported encoder gives, by name.

    Other people's programs ask for three at once, so all are there, the node's own first, if the
    encoder has them and the node's are among them; else it gives the node's alone, as ``content``.

    Args:
        layers: of the encoder in the file.
        projection: whether it has one.
        chosen: the features of the node.
    """
    if layers >= V2.layer and projection and chosen in NAMES:
        # The node's own first: some programs take the first one, whatever its name is.
        return {NAMES[wanted]: wanted for wanted in (chosen, *NAMES)}
    return {"content": chosen}


def hubert_export(
    build: Callable[[Chosen], HubertNetwork],
    load: Callable[[Chosen], HubertNetwork],
    outputs: Mapping[str, Chosen],
    widths: Mapping[str, int],
    metadata: Mapping[str, str],
) -> ExportedNetwork:
    """What a node with an encoder exports.

    Args:
        build: reads the plain network up to a layer, with the projection or without.
        load: the same in the form in which the node runs it.
        outputs: features by name of the output.
        widths: of the outputs.
        metadata: for the file.
    """
    features = tuple(outputs.values())
    needed = Chosen(max(f.layer for f in features), any(f.project for f in features))

    def in_dtype(dtype: torch.dtype) -> nn.Module:
        network = into_form(build(needed), torch.device("cpu"), portable(dtype))
        return PortableHubert(network, features)

    running = load(needed)

    def reference(values: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        with torch.inference_mode():
            made = dict(enumerate(running.after_layers(values["audio"]), 1))
            return {
                name: _projected(running, made[wanted.layer])
                if wanted.project
                else made[wanted.layer]
                for name, wanted in outputs.items()
            }

    return ExportedNetwork(
        module=in_dtype(torch.float32),
        inputs={
            "audio": ExportedTensor((1, "samples"), description="audio at 16 kHz, mono, -1..1")
        },
        outputs={
            name: ExportedTensor((1, "frames", widths[name]), description=_described(wanted))
            for name, wanted in outputs.items()
        },
        example=example,
        reference=reference,
        metadata=metadata,
        reduced=in_dtype,
    )


def _projected(network: HubertNetwork, x: torch.Tensor) -> torch.Tensor:
    """``[streams, frames, hidden]`` -> ``[streams, frames, projection]``."""
    assert network.head is not None
    return network.head(x.flatten(0, 1)).view(*x.shape[:2], -1)


def _described(wanted: Chosen) -> str:
    projected = ", after the final projection" if wanted.project else ""
    return f"features of layer {wanted.layer}{projected}, at 50 Hz"


def example(number: int) -> dict[str, torch.Tensor]:
    """Noise with a rising and falling level, as speech has one."""
    samples = _LENGTHS[number]
    chance = torch.Generator().manual_seed(number)
    level = torch.linspace(0, 3 * torch.pi, samples).sin()
    return {"audio": 0.2 * level * torch.randn(1, samples, generator=chance)}
