"""Source-filter voices as files: safetensors with network, card and, for retrieval, an index."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import ValidationError

from voicegraph.graph import Problem
from voicegraph.graph.files.models import Archive, FileKind, WeightsError, fit, shared_file
from voicegraph.graph.files.models.identify import first_fault, not_understood
from voicegraph.graph.files.models.load_state import as_notes, misfits
from voicegraph.graph.files.models.wrong_kind import open_expected, wrong_kind
from voicegraph.nodes.retrieval.index_file import TENSOR as INDEX
from voicegraph.nodes.retrieval.index_file import locate_within
from voicegraph.nodes.synth.source_filter_network import SourceFilterNetwork
from voicegraph.schemas.source_filter_card import SourceFilterCard

NAME = "source-filter-voice"
NOUN = "a source-filter voice"
_FIX = "get the voice again, or make it again"


def open_source_filter(path: Path, fix: str | None = None) -> tuple[Archive, SourceFilterCard]:
    """Reads the header of a voice.

    Args:
        path: of the file.
        fix: what to type where it is something else.

    Raises:
        WeightsError: if it is none, damaged, or its tensors are not those its card speaks of.
    """
    archive = open_expected(path, NOUN, fix)
    found = _card(path, archive)
    if found is None:
        raise wrong_kind(path, NOUN, fix)
    return archive, found


def load_source_filter(
    path: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> SourceFilterNetwork:
    """The network of a file, once a process for each device and dtype.

    Raises:
        WeightsError: if it cannot be used, or holds NaN or infinity.
    """
    return shared_file(
        "synth.source_filter", path, lambda: _bring(path, device, dtype), str(device), dtype
    )


def _bring(path: Path, device: torch.device | str, dtype: torch.dtype) -> SourceFilterNetwork:
    archive, card = open_source_filter(path)
    with torch.inference_mode(False), torch.no_grad():
        with torch.device("meta"):  # without memory, which the tensors bring
            network = SourceFilterNetwork(card.sizes).to(dtype)
        fit(network, archive.read(_weights(archive)), path, NOUN)
        return network.requires_grad_(False).to(device).eval()


def _weights(archive: Archive) -> list[str]:
    return [name for name in archive.tensors if name != INDEX]


def _card(path: Path, archive: Archive | None) -> SourceFilterCard | None:
    """The card of a file; None if it is of another kind."""
    if archive is None or archive.card is None or archive.card.get("kind") != NAME:
        return None
    try:
        found = SourceFilterCard.model_validate(archive.card)
    except ValidationError as error:
        raise not_understood(path, first_fault(error)) from None
    _check_shapes(archive, found)
    _check_index(archive, found)
    return found


def _check_shapes(archive: Archive, card: SourceFilterCard) -> None:
    """Before any memory is taken: that the tensors are those of the card."""
    with torch.device("meta"):
        network = SourceFilterNetwork(card.sizes)
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    present = {name: archive.tensors[name] for name in _weights(archive)}
    lines = misfits(wanted, {name: header.shape for name, header in present.items()})
    lines += [
        f"{name}: expected floating point, found {str(header.dtype).removeprefix('torch.')}"
        for name, header in present.items()
        if not header.dtype.is_floating_point
    ]
    if lines:
        text = f"{archive.path}: its tensors are not those that its card speaks of"
        raise WeightsError(Problem("weights-do-not-fit", text, notes=as_notes(lines), fix=_FIX))
    if card.parameters != sum(header.numel for header in present.values()):
        raise _broken(archive.path, "its card speaks of another number of parameters")


def _check_index(archive: Archive, card: SourceFilterCard) -> None:
    if INDEX not in archive.tensors:
        if card.vectors:
            raise _broken(archive.path, f"the {card.vectors} vectors of its card are not in it")
        return
    layout = locate_within(archive).layout
    if (layout.vectors, layout.dimension) != (card.vectors, card.sizes.content):
        raise _broken(
            archive.path,
            f"its index holds {layout.vectors} vectors of {layout.dimension} values, and its card "
            f"speaks of {card.vectors} of {card.sizes.content}",
        )


def _broken(path: Path, why: str) -> WeightsError:
    return WeightsError(Problem("broken-voice", f"{path}: {NOUN}, but {why}", fix=_FIX))


def _convert(
    path: Path, archive: Archive | None
) -> tuple[dict[str, torch.Tensor], SourceFilterCard]:
    """Every tensor as stored, and the card."""
    found = _card(path, archive)
    if found is None or archive is None:
        raise wrong_kind(path, NOUN)
    return archive.read(archive.tensors), found


KIND = FileKind(NAME, NOUN, _card, _convert)
"""For ``voicegraph inspect`` and ``convert``."""
