"""The step export: writes network, card and retrieval index into one file."""

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
from .prepared_speech import PreparedSpeech
from .train import VoiceTraining
from .workdir import RATE

VECTORS = 20_000
"""Content features in the retrieval index, at most."""
_LISTS, _PROBES = 128, 16


@dataclass(frozen=True, slots=True)
class About:
    """The texts of a voice's card.

    Attributes:
        title: for people.
        description: whose voice it is.
        licence: of the material.
        source: who or what spoke.
        consent: of the owner, if the voice is a person's.
        more: further facts about the material, by name.
    """

    title: str
    description: str = ""
    licence: str = ""
    source: str = ""
    consent: Consent | None = None
    more: Mapping[str, str] = field(default_factory=dict)


def network_sizes(found: Prosody) -> SourceFilterSizes:
    """Sizes of the network for a voice with this prosody."""
    return SourceFilterSizes(sample_rate=RATE, reference_hz=round(found.median_hz))


def export(
    training: VoiceTraining, about: About, speech: PreparedSpeech, target: Path, seed: int
) -> SourceFilterCard:
    """Writes the voice, and gives its card; an existing file is replaced.

    Raises:
        OutputError: if it cannot be written.
    """
    network = training.network.eval()
    tensors = {name: tensor.half() for name, tensor in network.state_dict().items()}
    vectors = retrieval_vectors(training, seed)
    utterances = training.training_set.utterances
    seconds = sum(utterance.frames for utterance in utterances) / 100
    card = SourceFilterCard(
        title=about.title,
        licence=about.licence,
        source=about.source,
        description=about.description,
        consent=about.consent,
        trained_on=features.identity(),
        sizes=network.sizes,
        prosody=prosody.measure(speech, speech.numbers),
        vectors=len(vectors),
        parameters=sum(tensor.numel() for tensor in tensors.values()),
        trained={
            "material": f"{len(utterances)} utterances, {seconds / 60:.1f} min",
            **about.more,
            "steps": str(training.step),
            **(
                {"steps of polishing": str(training.finetuned_steps)}
                if training.finetuned_steps
                else {}
            ),
            **_minutes(training),
            "seed": str(seed),
            **{f"loss, {name}": f"{loss:.4f}" for name, loss in training.validate().items()},
        },
    )
    tensors[INDEX] = serialized_index(vectors)
    target.parent.mkdir(parents=True, exist_ok=True)
    write(tensors, card, target, force=True)
    return card


def _minutes(training: VoiceTraining) -> dict[str, str]:
    """Wall-clock time of the training, and processor time.

    A checkpoint of an earlier version holds only the first.
    """
    found = {"minutes by the clock": f"{training.seconds / 60:.1f}"}
    if training.core_seconds is not None:
        found["minutes of one core"] = f"{training.core_seconds / 60:.1f}"
    return found


def retrieval_vectors(training: VoiceTraining, seed: int) -> np.ndarray:
    """Random frames of the speech's content features, float32 ``[vectors, dim]``."""
    held = training.training_set.utterances
    frames = np.concatenate([u.content[CLEAN_WHOLE] for u in held]).astype(np.float32)
    chosen = np.random.default_rng(seed).permutation(len(frames))[:VECTORS]
    return np.ascontiguousarray(frames[np.sort(chosen)])


def serialized_index(vectors: np.ndarray) -> torch.Tensor:
    """A serialized FAISS index of the vectors with 8-bit values, uint8 ``[bytes]``."""
    width = vectors.shape[1]
    lists = max(min(_LISTS, len(vectors) // 40), 1)
    index = faiss.index_factory(width, f"IVF{lists},SQ8")
    index.train(vectors)
    index.add(vectors)
    faiss.extract_index_ivf(index).nprobe = min(_PROBES, lists)
    return torch.from_numpy(faiss.serialize_index(index).copy())
