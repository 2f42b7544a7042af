"""RMVPE files, recognised by the names of their tensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.graph.files.models import Archive, ModelFile, load_state
from voicegraph.graph.files.models.wrong_kind import wrong_kind
from voicegraph.nodes.f0._estimator import RATE
from voicegraph.nodes.f0._rmvpe_network import MARKER, Rmvpe, Sizes, fold_norms
from voicegraph.schemas.pitch_model_card import PitchModelCard

NAME = "pitch-model"
NOUN = "an RMVPE pitch model"
FIX = "--set assets.rmvpe=PATH   (a file such as rmvpe.pt)"
MELS = 128
BINS = 360
_LARGEST = Sizes(
    blocks=64, layers=7, inner=64, channels=1024, cnn_channels=1024, hidden=8192, depth=64,
    mels=1 << 16, bins=1 << 16,
)  # fmt: skip
"""Larger than any published network; 128 mel bands can be halved seven times."""
_PREFIXES = ("", "model.", "state_dict.")
"""Prefixes of the tensors' names: none, or those of training checkpoints."""


@dataclass(frozen=True, slots=True)
class RmvpeFile(ModelFile):
    """An RMVPE network in a file.

    Attributes:
        archive: the opened file.
        prefix: what precedes the network's own names of the tensors.
        sizes: of the network.
    """

    name = NAME
    noun = NOUN
    fix = FIX

    archive: Archive
    prefix: str
    sizes: Sizes

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> RmvpeFile | None:
        """The network, by its header alone.

        Raises:
            WeightsError: if parts are missing, or it has other mel bands or bins.
        """
        if archive is None:
            return None
        prefix = next((p for p in _PREFIXES if p + MARKER in archive.tensors), None)
        if prefix is None:
            if cls.stated_card(archive, PitchModelCard) is not None:
                raise cls.broken(path, f"it has no tensor {MARKER}")
            return None
        shapes = _shapes(archive, prefix)
        sizes = cls.bounded_sizes(path, lambda: Sizes.of(shapes), _LARGEST)
        if (sizes.mels, sizes.bins) != (MELS, BINS):
            text = f"it has {sizes.mels} mel bands and {sizes.bins} bins"
            raise cls.broken(path, f"{text}, expected {MELS} and {BINS}")
        return cls(archive, prefix, sizes)

    def describe(self) -> PitchModelCard:
        """The card of a converted file, or one made of the header."""
        stated = self.stated_card(self.archive, PitchModelCard)
        if stated is not None:
            return stated
        return PitchModelCard(
            title=self.archive.path.name,
            source=self.archive.path.name,
            sample_rate=RATE,
            mels=self.sizes.mels,
            bins=self.sizes.bins,
            parameters=sum(header.numel for header in self.archive.tensors.values()),
        )

    def tensors(self) -> dict[str, torch.Tensor]:
        """By the network's own names."""
        names = [self.prefix + name for name in _shapes(self.archive, self.prefix)]
        found = self.archive.read(names)
        return {name.removeprefix(self.prefix): tensor for name, tensor in found.items()}


def _shapes(archive: Archive, prefix: str) -> dict[str, tuple[int, ...]]:
    return {
        name.removeprefix(prefix): header.shape
        for name, header in archive.tensors.items()
        if name.startswith(prefix)
    }


def _recognised(archive: Archive) -> RmvpeFile:
    found = RmvpeFile.recognise(archive.path, archive)
    if found is None:
        raise wrong_kind(archive.path, NOUN, FIX)
    return found


def sizes_of(archive: Archive) -> Sizes:
    """The sizes of the network in a file, from its header alone.

    Raises:
        WeightsError: if it is no RMVPE network, or a broken one.
    """
    return _recognised(archive).sizes


def read(archive: Archive, device: torch.device, dtype: torch.dtype) -> Rmvpe:
    """Loads the network, with its normalisations folded into the convolutions.

    Raises:
        WeightsError: if it is no RMVPE network, or a broken one.
    """
    found = _recognised(archive)
    with torch.device("meta"):  # allocates no memory; the tensors bring their own
        network = Rmvpe(found.sizes).eval()
    load_state(network, found.tensors(), archive.path, NOUN)
    fold_norms(network.requires_grad_(False))
    # The convolutions take half the time if the channels are adjacent in memory.
    return network.to(device, dtype).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


KIND = RmvpeFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
