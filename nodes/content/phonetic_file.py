"""Files of phonetic encoders: safetensors with a card, as conversion writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from voicegraph.graph.files.models.fingerprint import fingerprint
from voicegraph.graph.files.models.model_file import believed
from voicegraph.graph.files.models.state_dict import StateDict, find_state_dict
from voicegraph.graph.files.models.wrong_kind import wrong_kind
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_network import STEP, PhoneticNetwork, PhoneticSizes
from voicegraph.schemas.phonetic_card import PhoneticCard

NAME = "phonetic-encoder"
NOUN = "a phonetic encoder"
FIX = "assets.phonetic: a file such as the models/phonetic.safetensors that comes with voicegraph"
_FINGERPRINTED = (
    "stem.bias",
    "blocks.0.before.norm.weight",
    "blocks.0.attention.inputs.bias",
    "blocks.0.convolution.depth.weight",
    "blocks.0.norm.weight",
    "blocks.0.norm.bias",
)
"""Small tensors that training changes."""
_LARGEST = PhoneticSizes(
    mels=512, hidden=4096, inner=16384, blocks=64, taps=255, tokens=4096, heads=64
)
"""Larger than any trained network."""


@dataclass(frozen=True, slots=True)
class PhoneticFile(ModelFile):
    """A phonetic encoder in a file.

    Attributes:
        archive: the opened file.
        state: the network's names of its tensors, and those in the file.
        sizes: of the network.
        card: from the file's header, as far as the tensors agree.
    """

    name = NAME
    noun = NOUN
    fix = FIX

    archive: Archive
    state: StateDict
    sizes: PhoneticSizes
    card: PhoneticCard

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> PhoneticFile | None:
        """The encoder, by its header and the few tensors of its fingerprint.

        Raises:
            WeightsError: if it is broken, or a checkpoint of its training.
        """
        if archive is None:
            return None
        stated = cls.stated_card(archive, PhoneticCard)
        state = find_state_dict(archive.tensors, _FINGERPRINTED[0])
        if stated is None:
            if archive.card is None and state is not None and _FINGERPRINTED[2] in state.names:
                raise _without_card(path)
            return None
        state = state or StateDict("", {})
        missing = [name for name in _FINGERPRINTED if name not in state.names]
        if missing:
            raise cls.broken(path, f"it has no tensor {missing[0]}")
        read = archive.read(state.names[name] for name in _FINGERPRINTED)
        few = {name: read[state.names[name]] for name in _FINGERPRINTED}
        headers = {name: archive.tensors[own] for name, own in state.names.items()}
        sizes = cls._sizes(path, headers, stated.heads)
        numbers = sum(header.numel for header in headers.values())
        derived = describe(sizes, few, numbers, stated.tokens)
        remarks = tuple(filter(None, [state.remark]))
        card = believed(stated, derived.model_copy(update={"remarks": remarks}))
        return cls(archive, state, sizes, card)

    @classmethod
    def _sizes(cls, path: Path, headers: Mapping[str, TensorHeader], heads: int) -> PhoneticSizes:
        shapes = {name: header.shape for name, header in headers.items()}
        sizes = cls.bounded_sizes(path, lambda: PhoneticSizes.of(shapes, heads), _LARGEST)
        if sizes.hidden % heads:
            text = f"its width of {sizes.hidden} cannot be split into {heads} attention heads"
            raise cls.broken(path, text)
        return sizes

    def describe(self) -> PhoneticCard:
        """The card in the file's header, as far as the tensors agree."""
        return self.card

    def tensors(self) -> dict[str, torch.Tensor]:
        """As stored, by the network's own names."""
        found = self.archive.read(self.state.names.values())
        return {name: found[own] for name, own in self.state.names.items()}


def _without_card(path: Path) -> WeightsError:
    """The error for the weights of an encoder without its card."""
    return WeightsError(
        Problem(
            "training-checkpoint",
            f"{path}: the weights of a phonetic encoder, without the card that states its tokens "
            "and attention heads: a checkpoint of its training",
            fix="use the .safetensors that the training writes at its end, or the bundled encoder",
        )
    )


def open_phonetic(path: Path, fix: str = FIX) -> tuple[Archive, PhoneticCard]:
    """Reads the header of a phonetic encoder, and the few tensors of its fingerprint.

    Raises:
        WeightsError: if it is of another kind, damaged or broken.
    """
    found = PhoneticFile.open(path, fix)
    return found.archive, found.card


def build_phonetic(archive: Archive) -> PhoneticNetwork:
    """The network of a file that :func:`open_phonetic` opened: plain, in float32, on the CPU.

    Raises:
        WeightsError: if a tensor is missing, or of the wrong shape or type.
    """
    found = PhoneticFile.recognise(archive.path, archive)
    if found is None:
        raise wrong_kind(archive.path, NOUN, FIX)
    with torch.device("meta"):  # allocates no memory; the tensors bring their own
        network = PhoneticNetwork(found.sizes).eval()
    load_state(network, found.tensors(), archive.path, NOUN)
    return network.requires_grad_(False)


def load_phonetic(path: Path, device: torch.device | str = "cpu") -> PhoneticNetwork:
    """Loads the network of a file in float32 outside of a pipeline, for training and evaluation.

    Raises:
        WeightsError: if the file is of another kind, damaged or broken.
    """
    archive, _ = open_phonetic(path)
    return build_phonetic(archive).to(device)


def describe(
    sizes: PhoneticSizes,
    tensors: Mapping[str, torch.Tensor],
    parameters: int,
    tokens: tuple[str, ...],
) -> PhoneticCard:
    """The card of a network, without what only a person can state.

    Args:
        sizes: of the network.
        tensors: by the names of ``PhoneticNetwork.state_dict()``; those of the fingerprint are
            enough.
        parameters: the number of values in all tensors.
        tokens: names of the outputs.
    """
    return PhoneticCard(
        training_data="",
        sample_rate=RATE,
        rate=RATE // STEP,
        hidden=sizes.hidden,
        blocks=sizes.blocks,
        heads=sizes.heads,
        tokens=tokens,
        parameters=parameters,
        fingerprint=fingerprint(tensors, _FINGERPRINTED),
    )


KIND = PhoneticFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
