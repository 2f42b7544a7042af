"""Last step: network, card and the features to retrieve from, in one file."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import torch

from voicegraph.graph.weights.converting import write
from voicegraph.nodes.synth.source_filter_file import INDEX
from voicegraph.schemas.source_filter_card import Prosody, SourceFilterCard, SourceFilterSizes

from . import features, prosody
from .features import CLEAN_WHOLE
from .recipes import Recipe
from .speakers import RATE
from .train import Training
from .workplace import Workplace

VECTORS = 20_000
_LISTS, _PROBES = 128, 16


def sizes(lies: Prosody) -> SourceFilterSizes:
    """The network of a voice that lies there."""
    return SourceFilterSizes(sample_rate=RATE, reference_hz=round(lies.median_hz))


def export(training: Training, recipe: Recipe, place: Workplace, target: Path, seed: int) -> None:
    """Writes the voice; one that is there is replaced."""
    network = training.network.eval()
    tensors = {name: tensor.half() for name, tensor in network.state_dict().items()}
    vectors = retrieved_from(training, seed)
    numbers = place.spoken()
    seconds = sum(u.frames for u in training.material.utterances) / 100
    card = SourceFilterCard(
        title=recipe.title,
        licence=recipe.licence,
        source=recipe.source,
        description=recipe.description,
        trained_on=features.identity(),
        sizes=network.sizes,
        prosody=prosody.measured(place, numbers),
        vectors=len(vectors),
        parameters=sum(tensor.numel() for tensor in tensors.values()),
        trained={
            "material": f"{len(training.material.utterances)} utterances, {seconds / 60:.1f} min",
            "steps": str(training.step),
            "minutes": f"{training.seconds / 60:.1f}",
            "seed": str(seed),
            **{f"loss, {name}": f"{loss:.4f}" for name, loss in training.validate().items()},
        },
    )
    tensors[INDEX] = serialised(vectors)
    target.parent.mkdir(parents=True, exist_ok=True)
    write(tensors, card, target, force=True)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def retrieved_from(training: Training, seed: int) -> np.ndarray:
    """Random frames of the clean speech: ``[vectors, dim]`` float32."""
    held = training.material.utterances
    frames = np.concatenate([u.content[CLEAN_WHOLE] for u in held]).astype(np.float32)
    chosen = np.random.default_rng(seed).permutation(len(frames))[:VECTORS]
    return np.ascontiguousarray(frames[np.sort(chosen)])


def serialised(vectors: np.ndarray) -> torch.Tensor:
    """A FAISS index of the vectors, each value in 8 bits, as bytes: uint8 ``[bytes]``."""
    width = vectors.shape[1]
    lists = max(min(_LISTS, len(vectors) // 40), 1)
    index = faiss.index_factory(width, f"IVF{lists},SQ8")
    index.train(vectors)
    index.add(vectors)
    faiss.extract_index_ivf(index).nprobe = min(_PROBES, lists)
    return torch.from_numpy(faiss.serialize_index(index).copy())
