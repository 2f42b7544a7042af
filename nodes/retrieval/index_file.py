"""FAISS indexes as files: as FAISS writes them, or converted to safetensors.

A converted file holds the card and the serialised index, unchanged, as one tensor of bytes called
``index``, and gives identical results. A source-filter voice may hold an index in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from voicegraph.graph import Problem
from voicegraph.graph.files.faiss_files.index_bytes import (
    BROKEN,
    BROKEN_FIX,
    NOUN,
    Located,
    is_index,
    locate_at,
)
from voicegraph.graph.files.faiss_files.layout import METRICS, Layout
from voicegraph.graph.files.models import Archive, ModelFile, WeightsError, open_archive
from voicegraph.graph.files.models.model_file import Unusable, believed
from voicegraph.schemas.index_card import IndexCard

TENSOR = "index"
"""Name of the tensor in a converted file."""
_HOLDERS = ("index", "source-filter-voice")
"""Kinds of files that hold an index."""
_FIX = "use the voice's added_*.index"


def locate(path: Path) -> Located | None:
    """Finds the index in a file without loading it; None if the file holds other tensors.

    Raises:
        WeightsError: if the file cannot be read, is neither an index nor a file of tensors, or is
            a damaged index.
    """
    if is_index(path):
        return locate_at(path, 0, path.stat().st_size)
    if path.is_dir():
        text = f"{path}: a folder, not a FAISS index"
        raise WeightsError(Problem("not-weights", text, fix=_FIX))
    try:
        archive = open_archive(path)
        return locate_within(archive) if _holds(archive, *_HOLDERS) else None
    except WeightsError as error:
        raise _as_index(error) from None


def _as_index(error: WeightsError) -> WeightsError:
    (problem,) = error.problems
    if problem.code != "not-weights":
        return error
    message = problem.message.replace("not a file of weights", "not a FAISS index")
    return WeightsError(replace(problem, message=message, fix=_FIX))


def locate_within(archive: Archive) -> Located:
    """Finds the index that a file of tensors holds.

    Raises:
        WeightsError: if it is missing or damaged.
    """
    header = archive.tensors.get(TENSOR)
    if header is None or header.storage is None or header.dtype != torch.uint8:
        raise IndexFile.broken(archive.path, "the bytes that its card describes are not in it")
    return locate_at(archive.file, header.storage.position, header.numel)


def _holds(archive: Archive, *kinds: str) -> bool:
    """Whether a file is of one of these kinds and holds an index, which a voice need not."""
    kind = archive.card.get("kind") if archive.card else None
    return kind in kinds and (kind == IndexFile.name or TENSOR in archive.tensors)


def index_card(layout: Layout, source: str) -> IndexCard:
    """The card of an index; ``source`` is the name of its file."""
    lists = layout.inverted_part
    empty = "trained but empty" if layout.trained else "untrained"
    return IndexCard(
        title=Path(source).stem,
        licence="",
        source=source,
        type=str(layout),
        state="filled" if layout.vectors else empty,
        dimension=layout.dimension,
        vectors=layout.vectors,
        trained=layout.trained,
        metric=METRICS[layout.metric],
        lists=lists.lists if lists else None,
        probes=lists.probes if lists else None,
    )


@dataclass(frozen=True, slots=True)
class IndexFile(ModelFile):
    """An index in a file of its own.

    Attributes:
        path: of the file.
        index: where it is in the file.
        card: the card in a converted file, else None.
    """

    name = "index"
    noun = NOUN
    fix = _FIX
    broken_code = BROKEN
    broken_fix = BROKEN_FIX

    path: Path
    index: Located
    card: IndexCard | None

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> IndexFile | None:
        """The index, by its headers alone.

        Raises:
            WeightsError: if it is damaged.
        """
        if archive is None:
            if not is_index(path):
                return None
            return cls(path, locate_at(path, 0, path.stat().st_size), None)
        card = cls.stated_card(archive, IndexCard)
        return None if card is None else cls(path, locate_within(archive), card)

    @property
    def unusable(self) -> Unusable | None:
        """Whether it is of a type that retrieval does not take, or empty."""
        layout = self.index.layout
        if layout.unusable:
            return Unusable(layout.unusable, _FIX)
        if not layout.vectors:
            text = (
                "it holds no vectors: RVC writes an empty trained_*.index before the added_*.index"
            )
            return Unusable(text, _FIX)
        return None

    def describe(self) -> IndexCard:
        """Derived from the index; what cannot be derived is taken from a converted file's card."""
        derived = index_card(self.index.layout, self.path.name)
        return derived if self.card is None else believed(self.card, derived)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The serialised index as one tensor of bytes."""
        return {TENSOR: torch.from_numpy(self.index.read().data)}


KIND = IndexFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
