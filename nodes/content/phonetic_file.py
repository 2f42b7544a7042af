"""Files of phonetic encoders: safetensors with a card, as conversion writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import ValidationError

from voicegraph.graph import Problem
from voicegraph.graph.files.models import Archive, FileKind, WeightsError, fit
from voicegraph.graph.files.models.identify import first_fault, not_understood
from voicegraph.graph.files.models.wrong_kind import open_expected, wrong_kind
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
"""Small tensors that training moves."""
_MOST = PhoneticSizes(
    mels=512, hidden=4096, inner=16384, blocks=64, taps=255, tokens=4096, heads=64
)
"""Larger than any there is: memory is taken by what a stranger's file says."""


def open_phonetic(path: Path, fix: str = FIX) -> tuple[Archive, PhoneticCard]:
    """Reads the header of a phonetic encoder, and the few tensors that tell it from others.

    Raises:
        WeightsError: if it is none, damaged, or something else.
    """
    archive = open_expected(path, NOUN, fix)
    found = card(path, archive)
    if found is None:
        raise wrong_kind(path, NOUN, fix)
    return archive, found


def read_network(archive: Archive, device: torch.device, dtype: torch.dtype) -> PhoneticNetwork:
    """The network in a file that :func:`open_phonetic` opened, ready to run.

    Raises:
        WeightsError: if a tensor of it is not what it should be.
    """
    with torch.device("meta"):  # without memory, which the tensors bring
        network = PhoneticNetwork(_sizes(archive, _own(archive))).eval().to(dtype)
    fit(network, archive.read(archive.tensors), archive.path, NOUN)
    return network.requires_grad_(False).to(device)


def load_phonetic(path: Path, device: torch.device | str = "cpu") -> PhoneticNetwork:
    """The network in a file, in float32, outside of any pipeline: for training and evaluation.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    archive, _ = open_phonetic(path)
    return read_network(archive, torch.device(device), torch.float32)


def card(_path: Path, archive: Archive | None) -> PhoneticCard | None:
    """The card of a file; None if it is of another kind.

    Raises:
        WeightsError: if it is of this kind, but broken.
    """
    if archive is None or archive.card is None or archive.card.get("kind") != NAME:
        return None
    found = _own(archive)
    few = archive.read(_FINGERPRINTED) if _has_all(archive) else {}
    numbers = sum(header.numel for header in archive.tensors.values())
    derived = describe(_sizes(archive, found), few, numbers, found.tokens)
    told = {name: getattr(found, name) for name in PhoneticCard.told}
    if found != derived.model_copy(update=told):
        raise _broken(archive, "its card speaks of other tensors than it holds")
    return found


def _has_all(archive: Archive) -> bool:
    missing = [name for name in _FINGERPRINTED if name not in archive.tensors]
    if missing:
        raise _broken(archive, f"it has no tensor {missing[0]}")
    return True


def _own(archive: Archive) -> PhoneticCard:
    try:
        return PhoneticCard.model_validate(archive.card)
    except ValidationError as error:
        raise not_understood(archive.path, first_fault(error)) from None


def _sizes(archive: Archive, own: PhoneticCard) -> PhoneticSizes:
    try:
        sizes = PhoneticSizes.of({k: h.shape for k, h in archive.tensors.items()}, own.heads)
    except KeyError as error:
        raise _broken(archive, f"it has no tensor {error}") from None
    except IndexError:
        raise _broken(archive, "a tensor of it has fewer axes than it should") from None
    for name in PhoneticSizes.__slots__:
        count, most = getattr(sizes, name), getattr(_MOST, name)
        if not 1 <= count <= most:
            raise _broken(archive, f"its {name} count {count}, expected 1 to {most}")
    if sizes.hidden % sizes.heads:
        text = f"its width of {sizes.hidden} cannot be split into {sizes.heads} attention heads"
        raise _broken(archive, text)
    return sizes


def _broken(archive: Archive, why: str) -> WeightsError:
    text = f"{archive.path}: looks like {NOUN}, but {why}"
    return WeightsError(Problem("broken-weights", text, fix="download or copy the file again"))


def describe(
    sizes: PhoneticSizes,
    tensors: Mapping[str, torch.Tensor],
    parameters: int,
    tokens: tuple[str, ...],
) -> PhoneticCard:
    """The card of a network, as far as its tensors tell.

    Args:
        sizes: of the network.
        tensors: by the names of ``PhoneticNetwork.state_dict()``; those that tell encoders apart
            are enough.
        parameters: how many numbers it holds in all.
        tokens: what its outputs mean.
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
        fingerprint=_fingerprint(tensors),
    )


def _fingerprint(tensors: Mapping[str, torch.Tensor]) -> str:
    """A hash of small tensors, rounded to float16 so that every copy of the model has the same."""
    digest = hashlib.sha256()
    for name in _FINGERPRINTED:
        digest.update(tensors[name].to(torch.float16).contiguous().numpy().astype("<f2").tobytes())
    return digest.hexdigest()[:16]


def convert(path: Path, archive: Archive | None) -> tuple[dict[str, torch.Tensor], PhoneticCard]:
    """Every tensor as stored, and the card.

    Raises:
        WeightsError: if it is no phonetic encoder, or broken.
    """
    made = card(path, archive)
    if made is None or archive is None:
        raise wrong_kind(path, NOUN, FIX)
    return archive.read(archive.tensors), made


KIND = FileKind(NAME, NOUN, card, convert)
"""For ``voicegraph inspect`` and ``convert``."""
