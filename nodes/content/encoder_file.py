"""Files of content encoders: fairseq's, Hugging Face's, converted and exported ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.graph.files.models import Archive, ModelFile, WeightsError
from voicegraph.graph.files.models.fingerprint import fingerprint
from voicegraph.graph.files.models.load_state import state_error
from voicegraph.graph.files.models.model_file import Unusable, believed
from voicegraph.nodes.content._exported_hubert import with_canonical_names
from voicegraph.nodes.content._hubert_names import Names, find_names
from voicegraph.nodes.content._hubert_settings import Settings
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.hubert_sizes import STRIDES, HubertSizes
from voicegraph.schemas.encoder_card import EncoderCard

NAME = "content-encoder"
NOUN = "a content encoder (HuBERT base or ContentVec)"
FIX = "assets.hubert: a file such as hubert_base.pt, or a folder of Hugging Face"
_FINGERPRINTED = (
    "convs.0.weight",
    "projection.bias",
    "norm.weight",
    "layers.0.attention.query.bias",
    "layers.0.norm.weight",
    "layers.0.norm.bias",
)
"""Small tensors that training changes, in the first layers, which truncated copies have, too."""

_UNLIKE = "not like HuBERT base"
_USE = "use hubert_base.pt, ContentVec, or another encoder of that architecture"


@dataclass(frozen=True, slots=True)
class EncoderFile(ModelFile):
    """An encoder in a file.

    Attributes:
        archive: the opened file.
        names: canonical name -> name in the file, of every tensor of the network.
        sizes: of the network.
        card: the card in a converted file, else None.
        differences: from HuBERT base, in settings that no tensor shows and in further tensors.
        remarks: on settings that the tensors contradict.
    """

    name = NAME
    noun = NOUN
    fix = FIX
    exported_by = ("content.hubert",)

    archive: Archive
    names: Mapping[str, str]
    sizes: HubertSizes
    card: EncoderCard | None
    differences: tuple[str, ...]
    remarks: tuple[str, ...]

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> EncoderFile | None:
        """The encoder, by its header alone.

        Raises:
            WeightsError: if tensors are missing, or of other shapes than HuBERT's.
        """
        if archive is None:
            return None
        card = cls.stated_card(archive, EncoderCard)
        if archive.export is not None:
            if card is None:
                raise cls.broken(path, "the exported network lacks the card of its encoder")
            archive = with_canonical_names(archive)
        if archive.card is not None and card is None:
            return None
        names = find_names(archive.tensors, converted=card is not None)
        if names is None:
            return None
        settings = Settings.of(archive)
        shapes = {name: archive.tensors[own].shape for name, own in names.stored.items()}
        try:
            sizes = HubertSizes.of(shapes, card.heads if card else settings.heads)
        except ValueError as error:
            raise _other_architecture(path, [str(error)]) from None
        more = _check_shapes(archive, names, sizes)
        remarks = (names.remark, *settings.contradictions(sizes, like_base=not more))
        return cls(
            archive,
            names.stored,
            sizes,
            card,
            (*settings.differences(), *more),
            tuple(filter(None, remarks)),
        )

    @property
    def unusable(self) -> Unusable | None:
        """Whether its architecture differs from HuBERT base, such as WavLM's or HuBERT large's."""
        if not self.differences:
            return None
        return Unusable(_UNLIKE, _USE, self.differences)

    def describe(self) -> EncoderCard:
        """The card of a converted file, as far as its tensors agree, or one made of them.

        Raises:
            WeightsError: if a tensor of the fingerprint holds NaN or infinity.
        """
        read = self.archive.read(self.names[name] for name in _FINGERPRINTED)
        few = {name: read[self.names[name]] for name in _FINGERPRINTED if name in self.names}
        parameters = sum(self.archive.tensors[own].numel for own in self.names.values())
        derived = describe(self.sizes, few, parameters, self.archive.path)
        derived = derived.model_copy(update={"remarks": self.remarks})
        if self.card is None:
            return derived
        # An exported network has the layers that its outputs need.
        parts = ("layers", "projection", "parameters") if self.archive.export else ()
        stated = self.card.model_copy(update={name: getattr(derived, name) for name in parts})
        return believed(stated, derived)

    def tensors(self) -> dict[str, torch.Tensor]:
        """By canonical name, as stored.

        The positional convolution keeps its weight norm: folding it while loading gives the same
        bits from every form of a file.
        """
        return self.read(self.sizes.layers, project=True)

    def read(self, layer: int, project: bool) -> dict[str, torch.Tensor]:
        """The tensors that features after ``layer`` need, by canonical name.

        Raises:
            WeightsError: if one of them holds NaN or infinity.
        """
        wanted = [name for name in self.names if _is_used(name, layer, project)]
        found = self.archive.read(self.names[name] for name in wanted)
        return {name: found[self.names[name]] for name in wanted}


def _is_used(name: str, layer: int, project: bool) -> bool:
    head, _, rest = name.partition(".")
    if head == "layers":
        return int(rest.partition(".")[0]) < layer
    return project or head != "head"


def open_encoder(path: Path, fix: str = FIX) -> EncoderFile:
    """Reads the header of an encoder's file or folder.

    Raises:
        WeightsError: if it is of another kind or architecture, or damaged.
    """
    return EncoderFile.open(path, fix)


def card_of(found: EncoderFile) -> EncoderCard:
    """As :meth:`EncoderFile.describe`."""
    return found.describe()


def _check_shapes(archive: Archive, names: Names, sizes: HubertSizes) -> list[str]:
    """Tensors that HuBERT base has not: a line each.

    Raises:
        WeightsError: if one that it has is missing, or of another shape or dtype.
    """
    wanted = sizes.shapes(folded="position.weight" in names.stored)
    found = {name: archive.tensors[own] for name, own in names.stored.items()}
    lines = [
        f"missing: {name} {list(shape)}" for name, shape in wanted.items() if name not in found
    ]
    unexpected = [f"unexpected: {names.stored[name]}" for name in found if name not in wanted]
    unexpected += [f"unexpected: {name}" for name in names.strange]
    for name in wanted.keys() & found.keys():
        header, shape = found[name], wanted[name]
        if header.shape != shape:
            own = names.stored[name]
            lines.append(f"{own}: expected {list(shape)}, found {list(header.shape)}")
        elif not header.dtype.is_floating_point:
            lines.append(f"{names.stored[name]}: expected floating point, found {header.dtype}")
    if lines:
        raise _other_architecture(archive.path, sorted(lines + unexpected))
    if "convs.1.norm.weight" in names.stored:
        return ["every convolution has a norm of its own, as in HuBERT large; supported is base"]
    return sorted(unexpected)


def _other_architecture(path: Path, lines: list[str]) -> WeightsError:
    return state_error(
        path,
        f"it looks like a content encoder, but {_UNLIKE}",
        lines,
        _USE,
    )


def describe(
    sizes: HubertSizes, tensors: Mapping[str, torch.Tensor], parameters: int, path: Path
) -> EncoderCard:
    """The card of a network.

    Args:
        sizes: of the network.
        tensors: by canonical name; those of the fingerprint are enough.
        parameters: the number of values in all tensors.
        path: of its file.
    """
    return EncoderCard(
        title=path.stem[:200],
        licence="",
        source=path.name,
        sample_rate=RATE,
        rate=RATE // math.prod(STRIDES),
        hidden=sizes.hidden,
        layers=sizes.layers,
        heads=sizes.heads,
        projection=sizes.projection,
        parameters=parameters,
        fingerprint=fingerprint(tensors, _FINGERPRINTED),
    )


KIND = EncoderFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
