"""Makes an index from content features, as RVC's training does."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from voicegraph.graph.errors import InputError, Problem
from voicegraph.schemas.index_report import IndexMade
from voicegraph.training.common.progress import progress_bar

from .clustering import LIST_ITERATIONS, kmeans, list_count
from .index_writer import CardTexts, Draft, has_card
from .recode import require_lists

MOST = 200_000
"""More vectors than this become centres of k-means,"""
CENTRES = 10_000
"""so many: both as in RVC."""
_ROUNDS = 5
"""Iterations of that k-means: of the whole gain over random vectors these bring nearly all."""
_BATCH = 8192


@dataclass(frozen=True, slots=True)
class Material:
    """Features that an index is made from.

    Attributes:
        vectors: float32 ``[frames, dimension]``; :func:`make` moves those that it keeps to the
            front.
        files: how many files they come from.
        seconds: of sound; None if they were features already.
        silent: which frames are silence, bool ``[frames]``; None if that is not known.
    """

    vectors: np.ndarray
    files: int
    seconds: float | None = None
    silent: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class MakeSettings:
    """How an index is made.

    Attributes:
        lists: inverted lists; None for as many as RVC would make.
        probes: lists that a search visits, as the file will say.
        cluster: whether more than 200,000 vectors become 10,000 centres.
        duplicates: whether equal vectors are kept.
    """

    lists: int | None = None
    probes: int = 1
    cluster: bool = True
    duplicates: bool = False


def make(
    material: Material, settings: MakeSettings, target: Path, texts: CardTexts, *, force: bool
) -> IndexMade:
    """Writes an index with all vectors of the material.

    The same material gives the same bytes, with one thread.

    Raises:
        InputError: if no vector is left.
        PipelineError: if there are more lists than vectors.
        OutputError: if it cannot be written.
    """
    frames = len(material.vectors)
    vectors, left_out = _cleaned(material, settings)
    clustered = settings.cluster and len(vectors) > MOST
    if clustered:
        with progress_bar(f"k-means of {len(vectors)} vectors", _ROUNDS) as tell:
            vectors = kmeans(vectors, CENTRES, _ROUNDS, tell)
    index = build(vectors, settings)
    del vectors
    facts = {"vectors": index.ntotal, "dimension": index.d}
    facts |= {"lists": index.nlist, "probes": index.nprobe}
    with Draft(index, target, force) as draft:
        del index  # before it is read back
        draft.keep(texts)
        size = draft.stored.data.size
    carried = has_card(target)
    return IndexMade(
        path=str(target),
        size_bytes=size,
        **facts,
        trained_on=texts.trained_on if carried else None,
        files=material.files,
        seconds=material.seconds,
        frames=frames,
        **left_out,
        clustered=clustered,
        notes=_notes(material, texts, target),
    )


def build(vectors: np.ndarray, settings: MakeSettings) -> Any:
    """An inverted file of uncompressed vectors, trained as FAISS trains it.

    Raises:
        PipelineError: if there are more lists than vectors.
    """
    count = settings.lists or list_count(len(vectors))
    require_lists(count, len(vectors))
    index: Any = faiss.index_factory(vectors.shape[1], f"IVF{count},Flat")
    with progress_bar(f"{count} lists", LIST_ITERATIONS) as tell:
        index.quantizer.add(kmeans(vectors, count, LIST_ITERATIONS, tell))
    index.is_trained = True
    for start in range(0, len(vectors), _BATCH):
        index.add(vectors[start : start + _BATCH])
    index.nprobe = min(settings.probes, count)
    return index


def _cleaned(material: Material, settings: MakeSettings) -> tuple[np.ndarray, dict[str, int]]:
    """The vectors that are worth finding, and how many were left out for which reason."""
    vectors = material.vectors
    parts = range(0, len(vectors), _BATCH)
    finite = np.concatenate([np.isfinite(vectors[at : at + _BATCH]).all(1) for at in parts])
    silent = np.zeros(len(vectors), bool) if material.silent is None else material.silent & finite
    kept = finite & ~silent
    first = np.ones(len(vectors), bool) if settings.duplicates else first_of_each(vectors, kept)
    left_out = {
        "not_finite": int((~finite).sum()),
        "silent": int(silent.sum()),
        "duplicates": int((kept & ~first).sum()),
    }
    kept &= first
    if not kept.any():
        reasons = ", ".join(f"{count} {name}" for name, count in left_out.items() if count)
        text = f"none of the {len(vectors)} frames is left for the index: {reasons}"
        raise InputError(Problem("no-vectors", text, fix="give sounds with speech"))
    return _moved_to_front(vectors, kept), left_out


def _moved_to_front(vectors: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The vectors that are kept, in the memory of all: a copy would take as much again."""
    end = 0
    for start in range(0, len(vectors), _BATCH):
        part = vectors[start : start + _BATCH][kept[start : start + _BATCH]]
        vectors[end : end + len(part)] = part
        end += len(part)
    return vectors[:end]


def first_of_each(
    vectors: np.ndarray, wanted: np.ndarray, seen: set[bytes] | None = None
) -> np.ndarray:
    """Which vectors come for the first time among those that are wanted, bool ``[vectors]``.

    Vectors count as equal if they are in half precision, which some programs keep them in.

    Args:
        vectors: float32 ``[vectors, dimension]``.
        wanted: bool ``[vectors]``.
        seen: digests of earlier ones, to which those of these are added.
    """
    seen = set() if seen is None else seen
    first = np.zeros(len(vectors), bool)
    for row in np.flatnonzero(wanted):
        with np.errstate(over="ignore"):
            half = vectors[row].astype(np.float16)
        digest = hashlib.blake2b(half.tobytes(), digest_size=16).digest()
        first[row] = digest not in seen
        seen.add(digest)
    return first


def _notes(material: Material, texts: CardTexts, target: Path) -> list[str]:
    notes = []
    if material.silent is None:
        notes.append("features do not tell silence from speech: none was left out")
    if texts.stated and not has_card(target):
        better = target.with_suffix(".safetensors")
        notes.append(f"a FAISS file has no card, so that it states no encoder: {better} would")
    elif has_card(target) and texts.trained_on is None:
        notes.append("the card states no content encoder: --encoder FILE names it")
    return notes
