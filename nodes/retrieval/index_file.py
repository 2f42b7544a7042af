"""FAISS indexes as files: as they are, or converted to safetensors.

A converted file holds the serialised index unchanged, as one tensor of bytes called ``index``, and
the card. These bytes lie in it in one piece, so it is mapped into memory just as the original is,
and gives identical results. A source-filter voice may hold an index in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from voicegraph.graph import Problem
from voicegraph.graph.files.models import Archive, FileKind, WeightsError, open_archive
from voicegraph.graph.files.models.file_errors import printable
from voicegraph.schemas.index_card import IndexCard

from ._cursor import Cursor, MalformedError
from ._index_layout import METRICS, Layout
from ._index_types import begins_index, read_layout

TENSOR = "index"
"""Name of the tensor in a converted file."""
_HOLDERS = ("index", "source-filter-voice")
"""Kinds of files that hold one."""
_FIX = "use the voice's added_*.index"


@dataclass(frozen=True, slots=True)
class Located:
    """An index in a file: where its bytes are, and what its headers say."""

    path: Path
    start: int
    size: int
    layout: Layout

    def mapped(self, mode: str = "r") -> np.ndarray:
        """The serialised index ``[size]`` uint8, mapped into memory; mode ``c`` copies on write."""
        return np.memmap(self.path, np.uint8, mode, self.start, (self.size,))  # pyright: ignore[reportCallIssue, reportArgumentType]


def locate(path: Path) -> Located | None:
    """The index in a file, found without loading it; None if the file holds tensors of other kinds.

    Raises:
        WeightsError: if the file cannot be read, is neither an index nor a file of tensors, or is
            an index that does not hold together.
    """
    if _begins_index(path):
        return _located(path, 0, path.stat().st_size)
    if path.is_dir():
        text = f"{path}: a folder, not a FAISS index"
        raise WeightsError(Problem("not-weights", text, fix=_FIX))
    try:
        archive = open_archive(path)
        return locate_within(archive) if _holds(archive, *_HOLDERS) else None
    except WeightsError as error:
        raise _as_index(error) from None


def _as_index(error: WeightsError) -> WeightsError:
    """The same, said of a file that was meant to be an index."""
    (problem,) = error.problems
    if problem.code != "not-weights":
        return error
    message = problem.message.replace("not a file of weights", "not a FAISS index")
    return WeightsError(replace(problem, message=message, fix=_FIX))


def _begins_index(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return begins_index(file.read(4))
    except (OSError, ValueError):
        return False  # what is wrong with it is said by what opens it next


def locate_within(archive: Archive) -> Located:
    """The index that a file of tensors holds.

    Raises:
        WeightsError: if it is not in it, or does not hold together.
    """
    header = archive.tensors.get(TENSOR)
    if header is None or header.storage is None or header.dtype != torch.uint8:
        raise _damaged(archive.path, "the bytes that its card speaks of are not in it")
    return _located(archive.file, header.storage.position, header.numel)


def _holds(archive: Archive, *kinds: str) -> bool:
    """Whether a file is of one of these kinds; a voice need not bring an index."""
    kind = archive.card.get("kind") if archive.card else None
    return kind in kinds and (kind == "index" or TENSOR in archive.tensors)


def _located(path: Path, start: int, size: int) -> Located:
    try:
        with path.open("rb") as file:
            return Located(path, start, size, read_layout(Cursor(file, start, size)))
    except MalformedError as error:
        raise _damaged(path, str(error)) from None
    except OSError as error:
        raise _damaged(path, f"cannot be read: {error.strerror}") from None


def _damaged(path: Path, why: str) -> WeightsError:
    return WeightsError(
        Problem(
            "damaged-file",
            f"{path}: a FAISS index, but {why}",
            fix="download or copy the file again",
        )
    )


def index_card(layout: Layout, source: str) -> IndexCard:
    """The card of an index; ``source`` is the name of its file."""
    lists = layout.sorted_by
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
        unusable=printable(layout.strange.text)[:200] if layout.strange else "",
    )


def _found(path: Path, archive: Archive | None) -> Located | None:
    if archive is not None:
        return locate_within(archive) if _holds(archive, "index") else None
    return locate(path) if _begins_index(path) else None


def _card(path: Path, archive: Archive | None) -> IndexCard | None:
    """From the index itself; of a card that stands in the file, what cannot be derived is kept."""
    found = _found(path, archive)
    if found is None:
        return None
    made = index_card(found.layout, path.name)
    if archive is None or archive.card is None:
        return made
    told = IndexCard.model_validate(archive.card)
    return made.model_copy(
        update={"title": told.title, "licence": told.licence, "source": told.source}
    )


def _convert(path: Path, archive: Archive | None) -> tuple[dict[str, torch.Tensor], IndexCard]:
    found, card = _found(path, archive), _card(path, archive)
    if found is None or card is None:
        raise WeightsError(Problem("wrong-weights", f"{path} is no FAISS index"))
    return {TENSOR: torch.from_numpy(found.mapped("c"))}, card


KIND = FileKind("index", "a retrieval index", _card, _convert)
"""How files of this kind are recognised, described and converted."""
