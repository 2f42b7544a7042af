"""What a model file is: its kind, if any takes it, and its card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from voicegraph.schemas.card import Card

from ...errors import WeightsError
from ._archive import Archive, open_archive
from .file_errors import RefusalError
from .kinds import FileKind, kinds


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """A file that can be read.

    Attributes:
        path: as it was given.
        archive: its headers; None for a file of a kind that holds no tensors of its own.
        kind: what it is; None if it holds tensors, but of no kind known here.
        card: what it says of itself; None without a kind.
    """

    path: Path
    archive: Archive | None
    kind: FileKind | None
    card: Card | None


def identify(path: str | Path) -> Identified:
    """Finds out what a file is, from its header alone.

    Raises:
        WeightsError: if it is nothing that can be read, broken, or its card is not understood.
    """
    path = Path(path)
    archive, refused = _open(path)
    for kind in kinds():
        card = _card(kind, path, archive)
        if card is not None:
            return Identified(path, archive, kind, card)
    if refused:
        raise refused
    if archive and archive.card is not None:
        raise not_understood(path, f"it calls itself {str(archive.card['kind'])[:40]!r}")
    return Identified(path, archive, None, None)


def _open(path: Path) -> tuple[Archive | None, WeightsError | None]:
    """The archive, or why there is none where another kind of file may still take it."""
    try:
        return open_archive(path), None
    except WeightsError as error:
        if error.problems[0].code != "not-weights":
            raise
        return None, error


def _card(kind: FileKind, path: Path, archive: Archive | None) -> Card | None:
    try:
        found = kind.card(path, archive)
        if found is None or archive is None or archive.card is None:
            return found
        said = type(found).model_validate(archive.card)
        return found.model_copy(update={name: getattr(said, name) for name in found.told})
    except ValidationError as error:
        raise not_understood(path, first_fault(error)) from None


def first_fault(error: ValidationError) -> str:
    """The first thing that does not fit a model, and where in it, in one line."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{place}: {said}" if place else said


def not_understood(path: Path, why: str) -> WeightsError:
    """A card with other words in it than this version knows."""
    return RefusalError(
        "unknown-card",
        f"its card is not understood ({why}): another version of voicegraph wrote it",
        "pip install --upgrade voicegraph, or convert the original file again",
    ).of(path)
