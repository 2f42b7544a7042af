"""A small phonetic encoder, for tests."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from voicegraph.nodes.content.phonetic_file import describe
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork, PhoneticSizes
from voicegraph.schemas.card import METADATA_KEY

SIZES = PhoneticSizes(mels=8, hidden=16, inner=24, blocks=3, taps=5, tokens=6, heads=2)
"""Ten thousand numbers."""
_TOKENS = ("a", "e", "i", "o", "u", "<blank>")


def tensors(sizes: PhoneticSizes = SIZES, seed: int = 1) -> dict[str, torch.Tensor]:
    """Random weights by name."""
    chance = torch.Generator().manual_seed(seed)
    return {
        name: _scaled(torch.randn(held.shape, generator=chance), name)
        for name, held in PhoneticNetwork(sizes).state_dict().items()
    }


def _scaled(noise: torch.Tensor, name: str) -> torch.Tensor:
    if noise.ndim == 1:
        return name.endswith("norm.weight") + 0.1 * noise
    if name == "filters":
        return noise.abs()
    return noise / max(1, noise[0].numel()) ** 0.5


def write(path: Path, sizes: PhoneticSizes = SIZES, seed: int = 1) -> None:
    """Writes an encoder as conversion does, with its card."""
    made = tensors(sizes, seed)
    numbers = sum(tensor.numel() for tensor in made.values())
    card = describe(sizes, made, numbers, _TOKENS[: sizes.tokens])
    card = card.model_copy(update={"title": path.stem})
    save_file(made, path, {METADATA_KEY: card.model_dump_json()})
