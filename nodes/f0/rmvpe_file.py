"""Files of RMVPE: recognised by the names of their tensors, never by their own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from voicegraph.graph import Problem
from voicegraph.graph.files.models import Archive, FileKind, WeightsError, fit
from voicegraph.graph.files.models.wrong_kind import wrong_kind
from voicegraph.nodes.f0._estimator import RATE
from voicegraph.nodes.f0._rmvpe_network import MARKER, Rmvpe, Sizes, fold_norms
from voicegraph.schemas.pitch_model_card import PitchModelCard

NAME = "pitch-model"
NOUN = "an RMVPE pitch model"
FIX = "--set assets.rmvpe=PATH   (a file such as rmvpe.pt)"
MELS = 128
BINS = 360
_MOST = Sizes(blocks=64, layers=7, inner=64, channels=1024, seen=1024, hidden=8192, depth=64)
"""Larger than any there is; 128 mel bands can be halved seven times."""
_PREFIXES = ("", "model.", "state_dict.")
"""Where in a file the tensors may stand: on their own, or as part of a training checkpoint."""


def _prefix(archive: Archive) -> str | None:
    """What stands in front of the network's names; None if the file holds another one."""
    return next((p for p in _PREFIXES if p + MARKER in archive.tensors), None)


def _says_so(archive: Archive) -> bool:
    """Whether it is a converted file of this kind, by its card."""
    return archive.card is not None and archive.card.get("kind") == NAME


def _shapes(archive: Archive, prefix: str) -> dict[str, tuple[int, ...]]:
    return {
        name.removeprefix(prefix): header.shape
        for name, header in archive.tensors.items()
        if name.startswith(prefix)
    }


def sizes_of(archive: Archive) -> Sizes:
    """How large the network in a file is, from its header alone.

    Raises:
        WeightsError: if it is no RMVPE network, one with parts missing, or one of other bands or
            bins.
    """
    prefix = _prefix(archive)
    if prefix is None:
        if _says_so(archive):
            raise _broken(archive, f"it has no tensor {MARKER}")
        raise wrong_kind(archive.path, NOUN, FIX)
    try:
        sizes = Sizes.of(_shapes(archive, prefix))
    except KeyError as error:
        raise _broken(archive, f"it has no tensor {error}") from error
    except (IndexError, ZeroDivisionError) as error:
        raise _broken(archive, "a tensor of it has fewer axes than it should") from error
    found = (sizes.mels, sizes.bins)
    if found != (MELS, BINS):
        text = f"it has {found[0]} mel bands and {found[1]} bins, expected {MELS} and {BINS}"
        raise _broken(archive, text)
    for name, most in asdict(_MOST).items():
        if not 1 <= getattr(sizes, name) <= most:
            text = f"its {name} count {getattr(sizes, name)}, expected 1 to {most}"
            raise _broken(archive, text)
    return sizes


def _broken(archive: Archive, why: str) -> WeightsError:
    text = f"{archive.path}: looks like {NOUN}, but {why}"
    return WeightsError(Problem("broken-weights", text, fix="download or copy the file again"))


def read(archive: Archive, device: torch.device, dtype: torch.dtype) -> Rmvpe:
    """The network of a file, its normalisations folded.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    with torch.device("meta"):  # without memory, which the tensors bring
        network = Rmvpe(sizes_of(archive)).eval()
    fit(network, _tensors(archive), archive.path, NOUN)
    fold_norms(network.requires_grad_(False))
    # The convolutions take half as long where the channels lie together.
    return network.to(device, dtype).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _tensors(archive: Archive) -> dict[str, torch.Tensor]:
    prefix = _prefix(archive) or ""
    names = [prefix + name for name in _shapes(archive, prefix)]
    return {name.removeprefix(prefix): t for name, t in archive.read(names).items()}


def card(path: Path, archive: Archive | None) -> PitchModelCard | None:
    """The card of a file; None if it is of another kind.

    Raises:
        WeightsError: if it is of this kind, but broken.
    """
    if archive is None:
        return None
    named = _says_so(archive)
    if not named and _prefix(archive) is None:
        return None
    sizes = sizes_of(archive)
    if named:
        return PitchModelCard.model_validate(archive.card)
    numbers = sum(header.numel for header in archive.tensors.values())
    return PitchModelCard(
        title=path.name,
        source=path.name,
        sample_rate=RATE,
        mels=sizes.mels,
        bins=sizes.bins,
        parameters=numbers,
    )


def convert(path: Path, archive: Archive | None) -> tuple[dict[str, torch.Tensor], PitchModelCard]:
    """Tensors by the network's own names, and the card.

    Raises:
        WeightsError: if the file is not of this kind.
    """
    made = card(path, archive)
    if made is None or archive is None:
        raise wrong_kind(path, NOUN, FIX)
    return _tensors(archive), made


KIND = FileKind(NAME, NOUN, card, convert)
