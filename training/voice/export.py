"""The step export: network, card and the features to retrieve from, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import faiss
import numpy as np
import torch

from voicegraph.graph.files.models.conversion import write
from voicegraph.nodes.synth.source_filter_file import INDEX
from voicegraph.schemas.source_filter_card import (
    Consent,
    Prosody,
    SourceFilterCard,
    SourceFilterSizes,
)

from . import _features as features
from . import _prosody as prosody
from ._features import CLEAN_WHOLE
from .train import Training
from .workdir import RATE, Workplace

VECTORS = 20_000
_LISTS, _PROBES = 128, 16


@dataclass(frozen=True, slots=True)
class About:
    """What the card says of a voice that no measurement tells.

    Attributes:
        title: for people.
        description: whose voice it is.
        licence: of what it was made of.
        source: who or what spoke.
        consent: the owner's, where the voice is a person's.
        more: what else should be known of the material, by a name.
    """

    title: str
    description: str = ""
    licence: str = ""
    source: str = ""
    consent: Consent | None = None
    more: Mapping[str, str] = field(default_factory=dict)


def sizes(lies: Prosody) -> SourceFilterSizes:
    """The network of a voice that lies there."""
    return SourceFilterSizes(sample_rate=RATE, reference_hz=round(lies.median_hz))


def export(
    training: Training, about: About, place: Workplace, target: Path, seed: int
) -> SourceFilterCard:
    """Writes the voice, and gives its card; a voice that is there is replaced.

    Raises:
        OutputError: if it cannot be written.
    """
    network = training.network.eval()
    tensors = {name: tensor.half() for name, tensor in network.state_dict().items()}
    vectors = retrieved_from(training, seed)
    numbers = place.spoken()
    seconds = sum(u.frames for u in training.material.utterances) / 100
    card = SourceFilterCard(
        title=about.title,
        licence=about.licence,
        source=about.source,
        description=about.description,
        consent=about.consent,
        trained_on=features.identity(),
        sizes=network.sizes,
        prosody=prosody.measured(place, numbers),
        vectors=len(vectors),
        parameters=sum(tensor.numel() for tensor in tensors.values()),
        trained={
            "material": f"{len(training.material.utterances)} utterances, {seconds / 60:.1f} min",
            **about.more,
            "steps": str(training.step),
            **({"steps of polishing": str(training.polished)} if training.polished else {}),
            **_minutes(training),
            "seed": str(seed),
            **{f"loss, {name}": f"{loss:.4f}" for name, loss in training.validate().items()},
        },
    )
    tensors[INDEX] = serialised(vectors)
    target.parent.mkdir(parents=True, exist_ok=True)
    write(tensors, card, target, force=True)
    return card


def _minutes(training: Training) -> dict[str, str]:
    """How long it trained by the clock, and how much computing that was on a shared machine.

    A training begun by an earlier version has kept the first alone.
    """
    found = {"minutes by the clock": f"{training.seconds / 60:.1f}"}
    if training.core_seconds is not None:
        found["minutes of one core"] = f"{training.core_seconds / 60:.1f}"
    return found


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
