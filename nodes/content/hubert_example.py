"""A small encoder file, for tests."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from voicegraph.nodes.content.encoder_file import describe
from voicegraph.nodes.content.hubert_sizes import HubertSizes
from voicegraph.schemas.card import METADATA_KEY

SIZES = HubertSizes(
    channels=(16,) * 7,
    kernels=(10, 3, 3, 3, 3, 2, 2),
    hidden=32,
    inner=48,
    layers=2,
    heads=2,
    taps=16,
    groups=4,
    projection=8,
)
"""Twenty thousand numbers; convolutions as long as the real ones."""


def tensors(sizes: HubertSizes = SIZES, seed: int = 1) -> dict[str, torch.Tensor]:
    """Random weights by canonical name."""
    chance = torch.Generator().manual_seed(seed)
    return {
        name: _scaled(torch.randn(shape, generator=chance), is_scale=name.endswith("norm.weight"))
        for name, shape in sizes.shapes().items()
    }


def _scaled(noise: torch.Tensor, is_scale: bool) -> torch.Tensor:
    if noise.ndim == 1:
        return is_scale + 0.1 * noise
    return noise / max(1, noise[0].numel()) ** 0.5


def write(path: Path, sizes: HubertSizes = SIZES, seed: int = 1) -> None:
    """Writes an encoder as conversion does, with its card."""
    made = tensors(sizes, seed)
    parameters = sum(tensor.numel() for tensor in made.values())
    card = describe(sizes, made, parameters, path)
    save_file(made, path, {METADATA_KEY: card.model_dump_json()})
