"""Files of content encoders: fairseq's ``.pt``, Hugging Face folders, converted files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.graph.files.models import Archive, Inert, ModelFile, WeightsError
from voicegraph.graph.files.models.fingerprint import fingerprint
from voicegraph.graph.files.models.load_state import state_error
from voicegraph.graph.files.models.model_file import card_matches
from voicegraph.nodes.content._hubert_names import Names, find_names
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.hubert_sizes import EPSILON, STRIDES, HubertSizes
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

_BUILT: dict[str, object] = {
    "do_stable_layer_norm": False,
    "layer_norm_first": False,
    "feat_extract_norm": "group",
    "extractor_mode": "default",
    "feat_extract_activation": "gelu",
    "hidden_act": "gelu",
    "activation_fn": "gelu",
    "conv_bias": False,
    "conv_stride": list(STRIDES),
    "layer_norm_eps": EPSILON,
    "feat_proj_layer_norm": True,
    "conv_pos_batch_norm": False,
}
"""Settings of either library that no tensor shows, with the values of HuBERT base."""


@dataclass(frozen=True, slots=True)
class EncoderFile(ModelFile):
    """An encoder in a file.

    Attributes:
        archive: the opened file.
        names: canonical name -> name in the file, of every tensor of the network.
        sizes: of the network.
        card: the card in a converted file, else None.
    """

    name = NAME
    noun = NOUN
    fix = FIX

    archive: Archive
    names: Mapping[str, str]
    sizes: HubertSizes
    card: EncoderCard | None

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> EncoderFile | None:
        """The encoder, by its header alone.

        Raises:
            WeightsError: if it is of another architecture than HuBERT base.
        """
        if archive is None:
            return None
        card = cls.stated_card(archive, EncoderCard)
        if archive.card is not None and card is None:
            return None
        names = find_names(archive.tensors, converted=card is not None)
        if names is None:
            return None
        settings = archive.config or _fairseq_settings(archive.tree)
        _check_settings(path, settings, names)
        heads = card.heads if card else _heads(settings)
        shapes = {name: archive.tensors[own].shape for name, own in names.stored.items()}
        try:
            sizes = HubertSizes.of(shapes, heads)
        except ValueError as error:
            raise _other_architecture(path, [str(error)]) from None
        _check_shapes(archive, names, sizes)
        return cls(archive, names.stored, sizes, card)

    def describe(self) -> EncoderCard:
        """The card of a converted file, or one made of the header and the fingerprint.

        Raises:
            WeightsError: if a tensor holds NaN or infinity, or the card describes another network.
        """
        read = self.archive.read(self.names[name] for name in _FINGERPRINTED)
        few = {name: read[self.names[name]] for name in _FINGERPRINTED}
        parameters = sum(self.archive.tensors[own].numel for own in self.names.values())
        derived = describe(self.sizes, few, parameters, self.archive.path)
        if self.card is not None and not card_matches(self.card, derived):
            why = "its card describes other tensors than it holds"
            raise _other_architecture(self.archive.path, [why])
        return self.card or derived

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


def _fairseq_settings(tree: object) -> Mapping[object, object]:
    """The model's settings, which fairseq stores under ``cfg``, or ``args`` in old files."""
    if not isinstance(tree, dict):
        return {}
    for key in ("cfg", "args"):
        settings = _fields(tree.get(key))
        if settings:
            return _fields(settings.get("model")) or settings
    return {}


def _fields(value: object) -> Mapping[object, object]:
    """The entries of a dict, or the attributes of a stored object."""
    held = value.state if isinstance(value, Inert) else value
    return held if isinstance(held, dict) else {}


def _plain(value: object) -> object:
    """The value of an enumeration member, as which fairseq stores choices."""
    return value.args[0] if isinstance(value, Inert) and value.args else value


def _heads(settings: Mapping[object, object] | Mapping[str, object]) -> int | None:
    for key in ("num_attention_heads", "encoder_attention_heads"):
        found = settings.get(key)  # pyright: ignore[reportArgumentType]
        if isinstance(found, int) and found > 0:
            return found
    return None


def _check_settings(
    path: Path, settings: Mapping[object, object] | Mapping[str, object], names: Names
) -> None:
    if "convs.1.norm.weight" in names.stored:
        text = "every convolution has a norm of its own, as in HuBERT large; supported is base"
        raise _other_architecture(path, [text])
    found = {str(k): _plain(v) for k, v in settings.items() if str(k) in _BUILT}
    wrong = [
        f"{key} is {str(value)[:40]}, expected {_BUILT[key]}"
        for key, value in found.items()
        if not isinstance(value, Inert) and value != _BUILT[key]
    ]
    if wrong:
        raise _other_architecture(path, wrong)


def _check_shapes(archive: Archive, names: Names, sizes: HubertSizes) -> None:
    wanted = sizes.shapes(folded="position.weight" in names.stored)
    found = {name: archive.tensors[own] for name, own in names.stored.items()}
    lines = [
        f"missing: {name} {list(shape)}" for name, shape in wanted.items() if name not in found
    ]
    lines += [f"unexpected: {names.stored[name]}" for name in found if name not in wanted]
    lines += [f"unexpected: {name}" for name in names.strange]
    for name in wanted.keys() & found.keys():
        header, shape = found[name], wanted[name]
        if header.shape != shape:
            own = names.stored[name]
            lines.append(f"{own}: expected {list(shape)}, found {list(header.shape)}")
        elif not header.dtype.is_floating_point:
            lines.append(f"{names.stored[name]}: expected floating point, found {header.dtype}")
    if lines:
        raise _other_architecture(archive.path, sorted(lines))


def _other_architecture(path: Path, lines: list[str]) -> WeightsError:
    return state_error(
        path,
        "it looks like a content encoder, but not like HuBERT base",
        lines,
        "use hubert_base.pt, ContentVec, or another encoder of that architecture",
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
