"""A HuBERT encoder's network with the weights of a file, shared in the process."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from voicegraph.nodes.content._hubert_network import HubertNetwork
from voicegraph.nodes.content.encoder_file import EncoderFile
from voicegraph.nodes.content.hubert_sizes import HubertSizes
from voicegraph.nodes.layers.form import Form
from voicegraph.nodes.layers.network import load_network

Weights = Mapping[str, torch.Tensor]
"""Tensors by name."""
_PARTS = ("query", "key", "value")


def load_hubert(
    found: EncoderFile, layer: int, project: bool, device: torch.device, form: Form
) -> HubertNetwork:
    """The network of a file, loaded once for each layer, projection, device and form.

    Raises:
        WeightsError: if a tensor holds NaN or infinity, or values that the form cannot hold.
    """
    heads = found.sizes.heads  # stated beside the tensors, in another file

    def build() -> HubertNetwork:
        return build_hubert(found, layer, project)

    return load_network(HubertNetwork, found.archive, build, device, form, layer, project, heads)


def build_hubert(found: EncoderFile, layer: int, project: bool) -> HubertNetwork:
    """The plain network of a file: float32, on the CPU.

    Raises:
        WeightsError: if a tensor holds NaN or infinity.
    """
    return assemble(found.read(layer, project), found.sizes, layer, project)


def assemble(weights: Weights, sizes: HubertSizes, layer: int, project: bool) -> HubertNetwork:
    """The plain network of tensors with canonical names; those of later layers are not used."""
    with torch.device("meta"):  # allocates no memory; the tensors bring their own
        network = HubertNetwork(sizes, layer, project)
    wanted = network.state_dict()
    found = {name: x.float() for name, x in arranged(weights).items() if name in wanted}
    network.load_state_dict(found, assign=True)
    return network.eval().requires_grad_(False)


def arranged(weights: Weights) -> dict[str, torch.Tensor]:
    """The network's tensors, from those with canonical names (see ``hubert_sizes``).

    The weight norm of the positional convolution is folded; queries, keys and values are one
    product; the later convolutions are products on rows ``[taps, channels]``.
    """
    made: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        if found := re.fullmatch(r"convs\.(\d+)\.weight", name):
            number = int(found[1])
            if number:
                product = tensor.transpose(1, 2).flatten(1).contiguous()
                made[f"convs.{number - 1}.product.weight"] = product
            else:
                made["first.weight"] = tensor
        elif found := re.fullmatch(r"(layers\.\d+)\.attention\.query\.(weight|bias)", name):
            parts = [weights[f"{found[1]}.attention.{part}.{found[2]}"] for part in _PARTS]
            made[f"{found[1]}.inputs.{found[2]}"] = torch.cat(parts)
        elif not re.search(r"\.attention\.(key|value)\.|^position\.weight", name):
            own = name.replace("convs.0.norm.", "first.norm.").replace(
                ".attention.output.", ".output."
            )
            made[own] = tensor
    return {**made, "position.weight": folded_position(weights)}


def folded_position(weights: Weights) -> torch.Tensor:
    """The positional kernel ``[channels, channels / groups, taps]``: ``g v / |v|`` for each tap."""
    if "position.weight" in weights:
        return weights["position.weight"].float()
    v = weights["position.weight_v"].float().double()
    g = weights["position.weight_g"].float().double()
    return (v * (g / v.square().sum((0, 1), keepdim=True).sqrt())).float()
