"""Small voices, for tests: random weights, sizes that no trainer uses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from voicegraph.graph import random
from voicegraph.nodes.synth.network import VoiceNetwork
from voicegraph.schemas.voice_card import VoiceConfig

CONFIG: list[Any] = [
    33, 32, 4, 8, 12, 2, 2, 3, 0, "1",
    [3, 5], [[1, 3], [1, 2]], [10, 4, 4], 16, [16, 8, 4],
    3, 6, 16000,
]  # fmt: skip
"""As in a voice: 18 entries; the last is the sample rate."""
SINGLE: list[Any] = [*CONFIG[:9], "2", [3], [[1, 2]], [10, 2, 2, 2], 16, [10, 4, 4, 2], 3, 6, "8k"]
"""The other kind of residual blocks, and a rate as text."""
SPEAKERS = 3

EXAMPLES: tuple[Mapping[str, Any], ...] = (
    {"checkpoint": "plain.pth", "extra": 0, "noise_scale": 0.0, "source_noise": 0.0},
    {"checkpoint": "voice.pth", "extra": "100ms", "speaker": 2},
    {"checkpoint": "voice.pth", "extra": "300ms", "formant": 1.7, "source_noise": 0.5},
    {"checkpoint": "plain.pth", "extra": "55ms", "formant": -3.0},
)


def shapes(
    config: list[Any], dim: int, f0: bool, speakers: int = SPEAKERS
) -> dict[str, tuple[int, ...]]:
    """Names and shapes as in a voice file, with weight norm where voices have it."""
    with torch.device("meta"):
        network = VoiceNetwork(VoiceConfig.from_list(config), dim, f0, speakers)
    found: dict[str, tuple[int, ...]] = {}
    for name, like in network.state_dict().items():
        stem = name.removesuffix(".weight")
        if stem != name and _is_normed(stem):
            found[f"{stem}.weight_g"] = (like.shape[0], 1, 1)
            found[f"{stem}.weight_v"] = tuple(like.shape)
        else:
            found[name] = tuple(like.shape)
    return found


def weights(
    config: list[Any], dim: int, f0: bool, speakers: int = SPEAKERS
) -> dict[str, torch.Tensor]:
    """A state dict as in a voice file, with weight norm where voices have it."""
    return {name: _drawn(name, shape) for name, shape in shapes(config, dim, f0, speakers).items()}


def _is_normed(stem: str) -> bool:
    part = stem.split(".")
    return part[:2] == ["dec", "ups"] or part[:2] == ["dec", "resblocks"] or ".enc." in stem


def _drawn(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    count = math.prod(shape)
    drawn = torch.from_numpy(random.normal(1, name, 0, 0, count)).view(shape)
    if name.endswith(("gamma", "weight_g")):
        return 1 + 0.1 * drawn
    return drawn * 0.1 if len(shape) < 2 else drawn / math.sqrt(count / shape[0])


def voice(
    config: list[Any] = CONFIG, version: str = "v2", f0: bool = True, **more: Any
) -> dict[str, Any]:
    """What a voice file holds; ``more`` are further entries."""
    dim = 256 if version == "v1" else 768
    held = weights(config, dim, f0)
    return {"weight": held, "config": config, "version": version, "f0": int(f0), **more}


def write(folder: Path) -> None:
    """``voice.pth``, v2 with pitch, and ``plain.pth``, v1 without."""
    torch.save(voice(info="2epoch", sr="16k"), folder / "voice.pth")
    plain = voice(SINGLE, "v1", f0=False)
    del plain["version"]  # as old trainers leave it
    torch.save(plain, folder / "plain.pth")
