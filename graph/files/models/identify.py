"""Identifies a model file: its kind, if it is known, and its card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from voicegraph.schemas.card import Card

from ...errors import WeightsError
from ..file_errors import FormatError
from ._archive import Archive, open_archive
from .kinds import FileKind, kinds


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """A readable model file.

    Attributes:
        path: as it was given.
        archive: its headers; None if it is not an archive of tensors.
        kind: its kind; None if it holds tensors of an unknown kind.
        card: its description; None without a kind.
    """

    path: Path
    archive: Archive | None
    kind: FileKind | None
    card: Card | None


def identify(path: str | Path) -> Identified:
    """Identifies a file by its header alone.

    Raises:
        WeightsError: if it is unreadable, of an unknown format or broken, or has an unknown card.
    """
    path = Path(path)
    archive, refused = _open(path)
    for kind in kinds():
        card = _card(kind, path, archive)
        if card is not None:
            return Identified(path, archive, kind, card)
    if refused:
        raise refused
    if archive and archive.card is not None and archive.export is None:
        raise unknown_card(path, f"it calls itself {str(archive.card['kind'])[:40]!r}")
    return Identified(path, archive, None, None)


def _open(path: Path) -> tuple[Archive | None, WeightsError | None]:
    """The archive; or why it is none, since a kind may not be an archive of tensors."""
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
        raise unknown_card(path, first_validation_error(error)) from None


def first_validation_error(error: ValidationError) -> str:
    """The first error and its place in one line."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{place}: {said}" if place else said


def unknown_card(path: Path, why: str) -> WeightsError:
    """The error for a card with fields or values that this version does not know."""
    return FormatError(
        "unknown-card",
        f"its card is not understood ({why}): another version of voicegraph wrote it",
        "pip install --upgrade voicegraph, or convert the original file again",
    ).at(path)
