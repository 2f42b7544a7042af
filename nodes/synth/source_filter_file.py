"""Source-filter voices as files: safetensors with network, card and, for retrieval, an index."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from voicegraph.graph import Problem
from voicegraph.graph.files.models import (
    Archive,
    ModelFile,
    TensorHeader,
    WeightsError,
    load_state,
)
from voicegraph.graph.files.models.load_state import (
    dtype_mismatches,
    shape_mismatches,
    state_error,
)
from voicegraph.graph.files.models.model_file import believed
from voicegraph.graph.files.models.state_dict import StateDict, find_state_dict
from voicegraph.nodes.layers.form import PLAIN_FLOAT32, Form
from voicegraph.nodes.layers.network import load_network
from voicegraph.nodes.retrieval.index_file import TENSOR as INDEX
from voicegraph.nodes.retrieval.index_file import locate_within
from voicegraph.nodes.synth.source_filter_network import SourceFilterNetwork
from voicegraph.schemas.source_filter_card import SourceFilterCard, SourceFilterSizes

_MARKER = "content_mean"
"""A tensor that every source-filter voice has."""
_NEXT = "blocks.0.depth.weight"
"""Another one."""


@dataclass(frozen=True, slots=True)
class SourceFilterFile(ModelFile):
    """A source-filter voice in a file.

    Attributes:
        path: of the file.
        archive: the opened file.
        state: the network's names of its tensors, and those in the file.
        card: from the file's header, as far as the tensors agree.
    """

    name = "source-filter-voice"
    noun = "a source-filter voice"
    broken_code = "broken-voice"
    broken_fix = "make the voice again, or use it as its maker published it"

    path: Path
    archive: Archive
    state: StateDict
    card: SourceFilterCard

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> SourceFilterFile | None:
        """The voice, by its header alone.

        Raises:
            WeightsError: if its tensors are not those of its sizes, its index is damaged, or it
                is a checkpoint of its training.
        """
        if archive is None:
            return None
        card = cls.stated_card(archive, SourceFilterCard)
        state = find_state_dict(archive.tensors, _MARKER)
        if card is None:
            if archive.card is None and state is not None and _NEXT in state.names:
                raise _without_card(path)
            return None
        state = state or StateDict("", {})
        state.names.pop(INDEX, None)
        derived = card.model_copy(
            update={
                "parameters": sum(archive.tensors[own].numel for own in state.names.values()),
                "vectors": _vectors(path, archive, card),
                "remarks": tuple(filter(None, [state.remark])),
            }
        )
        found = cls(path, archive, state, believed(card, derived))
        found._check_network()
        return found

    def describe(self) -> SourceFilterCard:
        """The card in the file's header, as far as the tensors agree."""
        return self.card

    def tensors(self) -> dict[str, torch.Tensor]:
        """As stored, by the network's own names, and the index."""
        found = self.network_tensors()
        return found | self.archive.read([INDEX] if INDEX in self.archive.tensors else [])

    def network_tensors(self) -> dict[str, torch.Tensor]:
        """The network's tensors, as stored, by its own names."""
        found = self.archive.read(self.state.names.values())
        return {name: found[own] for name, own in self.state.names.items()}

    def network(self) -> dict[str, TensorHeader]:
        """Headers of the network's tensors, by its own names."""
        return {name: self.archive.tensors[own] for name, own in self.state.names.items()}

    def _check_network(self) -> None:
        """Compares shapes and dtypes before memory is allocated."""
        path, found = self.path, self.network()
        lines = shape_mismatches(
            _shapes_of(self.card.sizes.model_dump_json()),
            {name: header.shape for name, header in found.items()},
        )
        lines += dtype_mismatches(found)
        if lines:
            text = "its tensors are not those that its card describes"
            raise state_error(path, text, lines, self.broken_fix)


@lru_cache(maxsize=8)
def _shapes_of(sizes: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the network's tensors by name, for sizes as JSON.

    Many plans of one process ask for the same.
    """
    with torch.device("meta"):
        network = SourceFilterNetwork(SourceFilterSizes.model_validate_json(sizes))
    state = network.state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _without_card(path: Path) -> WeightsError:
    """The error for the weights of a voice without its card."""
    return WeightsError(
        Problem(
            "training-checkpoint",
            f"{path}: the weights of a source-filter voice, without the card that states its "
            "sample rate and its speaker's pitch: a checkpoint of its training",
            fix="use the .safetensors that `voicegraph voice make` writes at the end",
        )
    )


def _vectors(path: Path, archive: Archive, card: SourceFilterCard) -> int:
    """The vectors of the index in a file; 0 without one.

    Raises:
        WeightsError: if it is damaged, or of another width than the voice.
    """
    if INDEX not in archive.tensors:
        return 0
    layout = locate_within(archive).layout
    if layout.dimension != card.sizes.content:
        text = f"its index holds vectors of {layout.dimension} values, not {card.sizes.content}"
        raise SourceFilterFile.broken(path, text)
    return layout.vectors


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
    path: Path, device: torch.device | None = None, form: Form = PLAIN_FLOAT32
) -> SourceFilterNetwork:
    """Loads the network of a file, shared in the process for each device and form.

    Args:
        path: of the file.
        device: where it runs; by default the CPU.
        form: of its weights.

    Raises:
        WeightsError: if it cannot be used, or holds NaN or infinity.
    """
    found = SourceFilterFile.open(path)

    def build() -> SourceFilterNetwork:
        return build_source_filter(found)

    where = torch.device("cpu") if device is None else device
    return load_network(SourceFilterNetwork, found.archive, build, where, form)


def build_source_filter(found: SourceFilterFile) -> SourceFilterNetwork:
    """The network of a file: plain, in float32, on the CPU.

    Raises:
        WeightsError: if a tensor holds NaN or infinity.
    """
    with torch.device("meta"), torch.no_grad():  # allocates no memory; the tensors bring their own
        network = SourceFilterNetwork(found.card.sizes)
    load_state(network, found.network_tensors(), found.path, found.noun)
    return network


KIND = SourceFilterFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
