"""Small source-filter voices, for tests: random weights, sizes that no training uses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from voicegraph.graph import random
from voicegraph.nodes.synth.source_filter_network import SourceFilterNetwork
from voicegraph.schemas.card import METADATA_KEY
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.source_filter_card import Prosody, SourceFilterCard, SourceFilterSizes

SIZES = SourceFilterSizes(
    content=8, channels=12, inner=20, blocks=2, taps=3, bands=10, sample_rate=8000
)
VECTORS = 200

EXAMPLES: tuple[Mapping[str, Any], ...] = (
    {"voice": "voice.safetensors"},
    {"voice": "voice.safetensors", "formant": 2.5, "breath": -6.0},
)


def weights(sizes: SourceFilterSizes = SIZES) -> dict[str, torch.Tensor]:
    """A state dict as in a voice file, in float16."""
    with torch.device("meta"):
        shapes = {k: tuple(v.shape) for k, v in SourceFilterNetwork(sizes).state_dict().items()}
    return {name: _drawn(name, shape).half() for name, shape in shapes.items()}


def _drawn(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    count = math.prod(shape)
    drawn = torch.from_numpy(random.normal(1, name, 0, 0, count)).view(shape)
    if name in ("content_scale",) or name.endswith(("norm.weight", "scale")):
        return 1 + 0.1 * drawn
    if name == "last.bias":
        return drawn * 0.3 - 3
    return drawn * 0.1 if len(shape) < 2 else drawn / math.sqrt(count / shape[0])


def index(dimension: int = SIZES.content) -> torch.Tensor:
    """A flat FAISS index as bytes, uint8 ``[bytes]``."""
    import faiss

    held = random.normal(1, "index", 0, 0, VECTORS * dimension).reshape(VECTORS, dimension)
    made = faiss.IndexFlatL2(dimension)
    made.add(held)
    return torch.from_numpy(faiss.serialize_index(made).copy())


def card(trained_on: EncoderIdentity | None = None, **more: Any) -> SourceFilterCard:
    """The card that goes with :func:`weights` and :func:`index`; ``more`` are other fields."""
    fields: dict[str, Any] = {
        "title": "example",
        "trained_on": trained_on,
        "sizes": SIZES,
        "prosody": Prosody(median_hz=190, spread=3, loud_db=-21),
        "vectors": VECTORS,
        "parameters": sum(tensor.numel() for tensor in weights().values()),
    }
    return SourceFilterCard(**(fields | more))


def save(path: Path, held: Mapping[str, torch.Tensor], said: SourceFilterCard) -> Path:
    """Writes a voice."""
    save_file(dict(held), path, {METADATA_KEY: said.model_dump_json()})
    return path


def write(folder: Path) -> None:
    """``voice.safetensors``."""
    save(folder / "voice.safetensors", {**weights(), "index": index()}, card())
