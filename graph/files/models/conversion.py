"""Converts models to safetensors with a card; verifies the new file before it is renamed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from voicegraph.schemas.card import METADATA_KEY, Card

from ...errors import OutputError, Problem, WeightsError
from ..atomic_write import atomic_write
from ..atomic_write import check_target as may_be_written
from ..file_errors import FormatError
from .description import UNKNOWN
from .identify import Identified, identify
from .kinds import FileKind

ENDING = ".safetensors"


def check_target(target: Path, force: bool) -> None:
    """Checks that a converted file may be written under this name.

    Raises:
        OutputError: if it does not end in ``.safetensors``, exists, or has no folder.
    """
    if target.suffix.lower() != ENDING:
        text = f"{target} does not end in {ENDING}, the format that is written"
        raise OutputError(Problem("wrong-ending", text, fix=f"{target}{ENDING}"))
    may_be_written(target, force)


def check_source(found: Identified, again: bool = False) -> FileKind:
    """Checks that a file can be converted, and returns its kind.

    Args:
        found: the file.
        again: allow a converted file, to give it another card.

    Raises:
        WeightsError: if it is of an unknown kind, or already converted.
    """
    if found.kind is None:
        raise FormatError(
            "unknown-kind",
            f"{UNKNOWN}, which cannot be converted",
            f"voicegraph inspect {found.path}",
        ).at(found.path)
    archive = found.archive
    converted = archive is not None and archive.card is not None and archive.export is None
    if converted and not again:
        raise FormatError(
            "already-converted", "it is already converted", "copy it, or use it as it is"
        ).at(found.path)
    return found.kind


def trained_with(card: Card, encoder: Path, path: Path) -> Card:
    """Adds to a card the content encoder on which the model was trained.

    Args:
        card: of the model.
        encoder: the encoder's file.
        path: the model's file, for messages.

    Raises:
        WeightsError: if it is no encoder, or the model cannot have been trained on it.
    """
    found = identify(encoder)
    if found.card is None:
        raise FormatError("wrong-encoder", UNKNOWN, f"voicegraph inspect {encoder}").at(encoder)
    try:
        return card.trained_with(found.card)
    except ValueError as error:
        text = f"{path} was not trained on {encoder}: {error}"
        fix = "--encoder: the file of the encoder that it was trained on, or leave it out"
        raise WeightsError(Problem("wrong-encoder", text, fix=fix)) from None


def write(tensors: Mapping[str, torch.Tensor], card: Card, target: Path, force: bool) -> Identified:
    """Writes tensors and card to ``target`` atomically, and returns what is read back.

    Raises:
        OutputError: if it may not be written (see :func:`check_target`), or if reading it back
            gives something else.
    """
    check_target(target, force)
    metadata = {METADATA_KEY: card.stored()}
    with atomic_write(target, force=force) as temporary:
        try:
            save_file(_contiguous(tensors), temporary, metadata)
        except SafetensorError as error:  # the library wraps the system's errors
            text = f"{target} cannot be written: {error}"
            raise OutputError(Problem("cannot-write", text, fix="make room on the disk")) from None
        _verify(tensors, card, temporary, target)
    return identify(target)


def _contiguous(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Gives each tensor memory of its own, without gaps: the format has no views."""
    seen: set[int] = set()
    made: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        whole = tensor.detach().cpu().contiguous()
        place = whole.untyped_storage().data_ptr()
        larger = whole.untyped_storage().nbytes() != whole.nbytes
        made[name] = whole.clone() if larger or place in seen else whole
        seen.add(place)
    return made


def _verify(tensors: Mapping[str, torch.Tensor], card: Card, part: Path, target: Path) -> None:
    """Reads the file back, tensor by tensor, so that memory holds the model only once."""
    try:
        found = identify(part)
        archive = found.archive
        same = (
            archive is not None
            and bool(tensors)
            and found.card == card
            and archive.tensors.keys() == tensors.keys()
            and all(_equal(archive.read([name])[name], tensors[name]) for name in tensors)
        )
    except WeightsError as error:
        same, said = False, error.problems[0].message.removeprefix(f"{part}: ")
    else:
        said = "tensors or card differ"
    if not same:
        text = f"{target} reads back different from what was written: {said}"
        raise OutputError(Problem("not-written-whole", text, fix="try again, or on another disk"))


def _equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other.detach().cpu())
