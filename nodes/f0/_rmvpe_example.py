"""A small RMVPE file, for tests."""

from __future__ import annotations

from pathlib import Path

import torch

from voicegraph.nodes.f0._rmvpe_network import RmvpeNetwork, Sizes

SIZES = Sizes(blocks=1, layers=1, inner=1, channels=2, cnn_channels=1, hidden=4)
"""Eight thousand parameters; mel bands and bins as in the real network."""


def write(path: Path, sizes: Sizes = SIZES, seed: int = 1) -> None:
    """Writes a network with random weights, as ``torch.save`` does."""
    chance = torch.Generator().manual_seed(seed)
    tensors = {
        name: torch.randn(tensor.shape, generator=chance) / max(tensor[:1].numel(), 1) ** 0.5
        if tensor.is_floating_point()
        else tensor
        for name, tensor in RmvpeNetwork(sizes).state_dict().items()
    }
    for name, tensor in tensors.items():
        if name.endswith("running_var"):
            tensor.abs_().add_(1)
    torch.save(tensors, path)
