"""RMVPE files, recognised by the names of their tensors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.graph.files.models import Archive, ModelFile, load_state
from voicegraph.graph.files.models.model_file import Unusable, believed
from voicegraph.graph.files.models.state_dict import StateDict, find_state_dict
from voicegraph.graph.files.models.wrong_kind import wrong_kind
from voicegraph.nodes.f0._rmvpe_network import MARKER, RmvpeNetwork, Sizes, fold_norms
from voicegraph.nodes.f0.estimator import RATE
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


@dataclass(frozen=True, slots=True)
class RmvpeFile(ModelFile):
    """An RMVPE network in a file.

    Attributes:
        archive: the opened file.
        state: the network's names of its tensors, and those in the file.
        sizes: of the network.
    """

    name = NAME
    noun = NOUN
    fix = FIX
    exported_by = ("f0.rmvpe",)

    archive: Archive
    state: StateDict
    sizes: Sizes

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> RmvpeFile | None:
        """The network, by its header alone.

        Raises:
            WeightsError: if parts are missing.
        """
        if archive is None:
            return None
        state = find_state_dict(archive.tensors, MARKER)
        if state is None:
            if cls.stated_card(archive, PitchModelCard) is not None:
                raise cls.broken(path, f"it has no tensor {MARKER}")
            return None
        shapes = {name: archive.tensors[own].shape for name, own in state.names.items()}
        return cls(archive, state, cls.bounded_sizes(path, lambda: Sizes.of(shapes), _LARGEST))

    @property
    def folded(self) -> bool:
        """Whether normalisations are folded into the convolutions, as in exported networks."""
        # The first normalisation, of the spectra, has no convolution before it.
        return not any(
            name.endswith(".running_var") and not name.startswith("unet.encoder.bn.")
            for name in self.state.names
        )

    @property
    def unusable(self) -> Unusable | None:
        """Whether it was trained with other mel bands or bins than RMVPE's."""
        found = self.sizes
        if (found.mels, found.bins) == (MELS, BINS):
            return None
        text = f"it has {found.mels} mel bands and {found.bins} bins, expected {MELS} and {BINS}"
        return Unusable(text, "use RMVPE as its authors published it (rmvpe.pt)")

    def describe(self) -> PitchModelCard:
        """The card of a converted file, as far as its tensors agree, or one made of the header."""
        headers = [self.archive.tensors[own] for own in self.state.names.values()]
        derived = PitchModelCard(
            title=self.archive.path.name,
            source=self.archive.path.name,
            sample_rate=RATE,
            mels=self.sizes.mels,
            bins=self.sizes.bins,
            parameters=sum(header.numel for header in headers),
            remarks=tuple(filter(None, [self.state.remark])),
        )
        stated = self.stated_card(self.archive, PitchModelCard)
        return derived if stated is None else believed(stated, derived)

    def tensors(self) -> dict[str, torch.Tensor]:
        """By the network's own names."""
        found = self.archive.read(self.state.names.values())
        return {name: found[own] for name, own in self.state.names.items()}


def _recognised(archive: Archive) -> RmvpeFile:
    found = RmvpeFile.find(archive.path, archive)
    if found is None:
        raise wrong_kind(archive.path, NOUN, FIX)
    return found.checked(archive.path)


def sizes_of(archive: Archive) -> Sizes:
    """The sizes of the network in a file, from its header alone.

    Raises:
        WeightsError: if it is no RMVPE network, or a broken one.
    """
    return _recognised(archive).sizes


def build(archive: Archive) -> RmvpeNetwork:
    """The network of a file, with its normalisations folded into the convolutions.

    Raises:
        WeightsError: if it is no RMVPE network, or a broken one.
    """
    found = _recognised(archive)
    with torch.device("meta"):  # allocates no memory; the tensors bring their own
        network = RmvpeNetwork(found.sizes).eval().requires_grad_(False)
        if found.folded:
            fold_norms(network)
    load_state(network, found.tensors(), archive.path, NOUN)
    network.requires_grad_(False)
    if not found.folded:
        fold_norms(network)
    return network


KIND = RmvpeFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
