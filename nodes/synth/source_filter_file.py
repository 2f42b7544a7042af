"""Source-filter voices as files: safetensors with network, card and, for retrieval, an index."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.graph.files.models import Archive, ModelFile, TensorHeader, load_state, shared_file
from voicegraph.graph.files.models.load_state import (
    dtype_mismatches,
    shape_mismatches,
    state_error,
)
from voicegraph.nodes.retrieval.index_file import TENSOR as INDEX
from voicegraph.nodes.retrieval.index_file import locate_within
from voicegraph.nodes.synth.source_filter_network import SourceFilterNetwork
from voicegraph.schemas.source_filter_card import SourceFilterCard


@dataclass(frozen=True, slots=True)
class SourceFilterFile(ModelFile):
    """A source-filter voice in a file.

    Attributes:
        path: of the file.
        archive: the opened file.
        card: from the file's header.
    """

    name = "source-filter-voice"
    noun = "a source-filter voice"
    broken_code = "broken-voice"
    broken_fix = "get the voice again, or make it again"

    path: Path
    archive: Archive
    card: SourceFilterCard

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> SourceFilterFile | None:
        """The voice, by its header alone.

        Raises:
            WeightsError: if its tensors or its index are not those that its card describes.
        """
        card = cls.stated_card(archive, SourceFilterCard) if archive is not None else None
        if archive is None or card is None:
            return None
        found = cls(path, archive, card)
        found._check_network()
        found._check_index()
        return found

    def describe(self) -> SourceFilterCard:
        """The card in the file's header."""
        return self.card

    def tensors(self) -> dict[str, torch.Tensor]:
        """As stored, the index included."""
        return self.archive.read(self.archive.tensors)

    def network(self) -> dict[str, TensorHeader]:
        """Headers of the network's tensors."""
        return {name: own for name, own in self.archive.tensors.items() if name != INDEX}

    def _check_network(self) -> None:
        """Compares shapes and dtypes before memory is allocated."""
        path, found = self.path, self.network()
        with torch.device("meta"):
            state = SourceFilterNetwork(self.card.sizes).state_dict()
        wanted = {name: tuple(tensor.shape) for name, tensor in state.items()}
        lines = shape_mismatches(wanted, {name: header.shape for name, header in found.items()})
        lines += dtype_mismatches(found)
        if lines:
            text = "its tensors are not those that its card describes"
            raise state_error(path, text, lines, self.broken_fix)
        if self.card.parameters != sum(header.numel for header in found.values()):
            raise self.broken(path, "its card states another number of parameters")

    def _check_index(self) -> None:
        card, path = self.card, self.path
        if INDEX not in self.archive.tensors:
            if card.vectors:
                raise self.broken(path, f"the {card.vectors} vectors of its card are not in it")
            return
        layout = locate_within(self.archive).layout
        if (layout.vectors, layout.dimension) != (card.vectors, card.sizes.content):
            raise self.broken(
                path,
                f"its index holds {layout.vectors} vectors of {layout.dimension} values, and its "
                f"card states {card.vectors} of {card.sizes.content}",
            )


def open_source_filter(path: Path, fix: str | None = None) -> tuple[Archive, SourceFilterCard]:
    """Reads the header of a voice.

    Args:
        path: of the file.
        fix: what to type if it is something else.

    Raises:
        WeightsError: if it is of another kind, damaged, or its card describes other tensors.
    """
    found = SourceFilterFile.open(path, fix)
    return found.archive, found.card


def load_source_filter(
    path: Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> SourceFilterNetwork:
    """Loads the network of a file, shared in the process for each device and dtype.

    Raises:
        WeightsError: if it cannot be used, or holds NaN or infinity.
    """
    return shared_file(
        "synth.source_filter", path, lambda: _load(path, device, dtype), str(device), dtype
    )


def _load(path: Path, device: torch.device | str, dtype: torch.dtype) -> SourceFilterNetwork:
    found = SourceFilterFile.open(path)
    with torch.inference_mode(False), torch.no_grad():
        with torch.device("meta"):  # allocates no memory; the tensors bring their own
            network = SourceFilterNetwork(found.card.sizes).to(dtype)
        load_state(network, found.archive.read(found.network()), path, found.noun)
        return network.requires_grad_(False).to(device).eval()


KIND = SourceFilterFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
