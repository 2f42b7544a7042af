"""Files of content encoders: fairseq's ``.pt``, folders of Hugging Face, converted ones."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError

from voicegraph.graph import Problem
from voicegraph.graph.files.models import Archive, Inert, WeightsError
from voicegraph.graph.files.models.identify import first_fault, not_understood
from voicegraph.graph.files.models.kinds import FileKind
from voicegraph.graph.files.models.load_state import as_notes
from voicegraph.graph.files.models.wrong_kind import open_expected, wrong_kind
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
"""Small tensors that training moves: of the first layers, which shortened copies have as well."""

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
"""Settings of either library that no tensor shows, as the architecture here has them."""


@dataclass(frozen=True, slots=True)
class EncoderFile:
    """An encoder in a file, known by its header.

    Attributes:
        archive: the opened file.
        names: canonical name -> name in the file, of every tensor of the network.
        sizes: of the network.
        card: as it stands in a converted file, else None.
    """

    archive: Archive
    names: Mapping[str, str]
    sizes: HubertSizes
    card: EncoderCard | None

    def read(self, layer: int, project: bool) -> dict[str, torch.Tensor]:
        """The tensors that features after ``layer`` take, by canonical name.

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
        WeightsError: if it is none, damaged, of another architecture, or something else.
    """
    archive = open_expected(path, NOUN, fix)
    found = _recognise(archive)
    if found is None:
        raise wrong_kind(path, NOUN, fix)
    return found


def _recognise(archive: Archive) -> EncoderFile | None:
    if archive.card is not None and archive.card.get("kind") != NAME:
        return None
    names = find_names(archive.tensors, converted=archive.card is not None)
    if names is None:
        return None
    card = _own_card(archive) if archive.card is not None else None
    settings = archive.config or _fairseq_settings(archive.tree)
    _check_settings(archive, settings, names)
    heads = card.heads if card else _heads(settings)
    shapes = {name: archive.tensors[own].shape for name, own in names.stored.items()}
    try:
        sizes = HubertSizes.of(shapes, heads)
    except ValueError as error:
        raise _not_one(archive, [str(error)]) from None
    _check_shapes(archive, names, sizes)
    return EncoderFile(archive, names.stored, sizes, card)


def _own_card(archive: Archive) -> EncoderCard:
    try:
        return EncoderCard.model_validate(archive.card)
    except ValidationError as error:
        raise not_understood(archive.path, first_fault(error)) from None


def _fairseq_settings(tree: object) -> Mapping[object, object]:
    """The model's settings where fairseq keeps them: under ``cfg``, or ``args`` in old files."""
    if not isinstance(tree, dict):
        return {}
    for key in ("cfg", "args"):
        settings = _fields(tree.get(key))
        if settings:
            return _fields(settings.get("model")) or settings
    return {}


def _fields(value: object) -> Mapping[object, object]:
    """Of a dict, or of an object that was stored with its attributes."""
    held = value.state if isinstance(value, Inert) else value
    return held if isinstance(held, dict) else {}


def _plain(value: object) -> object:
    """A choice that fairseq stored as a member of an enumeration, by its value."""
    return value.args[0] if isinstance(value, Inert) and value.args else value


def _heads(settings: Mapping[object, object] | Mapping[str, object]) -> int | None:
    for key in ("num_attention_heads", "encoder_attention_heads"):
        found = settings.get(key)  # pyright: ignore[reportArgumentType]
        if isinstance(found, int) and found > 0:
            return found
    return None


def _check_settings(
    archive: Archive, settings: Mapping[object, object] | Mapping[str, object], names: Names
) -> None:
    if "convs.1.norm.weight" in names.stored:
        text = "every convolution has a norm of its own, as in HuBERT large; supported is base"
        raise _not_one(archive, [text])
    found = {str(k): _plain(v) for k, v in settings.items() if str(k) in _BUILT}
    wrong = [
        f"{key} is {str(value)[:40]}, expected {_BUILT[key]}"
        for key, value in found.items()
        if not isinstance(value, Inert) and value != _BUILT[key]
    ]
    if wrong:
        raise _not_one(archive, wrong)


def _check_shapes(archive: Archive, names: Names, sizes: HubertSizes) -> None:
    wanted = sizes.shapes(folded="position.weight" in names.stored)
    found = {name: archive.tensors[own] for name, own in names.stored.items()}
    lines = [
        f"missing: {name} {list(shape)}" for name, shape in wanted.items() if name not in found
    ]
    lines += [f"not known: {names.stored[name]}" for name in found if name not in wanted]
    lines += [f"not known: {name}" for name in names.strange]
    for name in wanted.keys() & found.keys():
        header, shape = found[name], wanted[name]
        if header.shape != shape:
            own = names.stored[name]
            lines.append(f"{own}: expected {list(shape)}, found {list(header.shape)}")
        elif not header.dtype.is_floating_point:
            lines.append(f"{names.stored[name]}: expected floating point, found {header.dtype}")
    if lines:
        raise _not_one(archive, sorted(lines))


def _not_one(archive: Archive, lines: list[str]) -> WeightsError:
    return WeightsError(
        Problem(
            "weights-do-not-fit",
            f"{archive.path}: it looks like a content encoder, but not like HuBERT base",
            notes=as_notes(lines),
            fix="use hubert_base.pt, ContentVec, or another encoder of that architecture",
        )
    )


def card(_path: Path, archive: Archive | None) -> EncoderCard | None:
    """The card of an encoder, read from a converted file or made of the header and a few tensors.

    Raises:
        WeightsError: if it is an encoder, but broken or of another architecture.
    """
    found = _recognise(archive) if archive is not None else None
    return None if found is None else card_of(found)


def card_of(found: EncoderFile) -> EncoderCard:
    """As it stands in a converted file, or made of the header and a few small tensors.

    Raises:
        WeightsError: if it holds NaN or infinity, or other tensors than its card speaks of.
    """
    read = found.archive.read(found.names[name] for name in _FINGERPRINTED)
    few = {name: read[found.names[name]] for name in _FINGERPRINTED}
    parameters = sum(found.archive.tensors[own].numel for own in found.names.values())
    derived = describe(found.sizes, few, parameters, found.archive.path)
    if found.card is None:
        return derived
    about = ("title", "licence", "source")
    if found.card != derived.model_copy(update={key: getattr(found.card, key) for key in about}):
        raise _not_one(found.archive, ["its card speaks of other tensors than it holds"])
    return found.card


def describe(
    sizes: HubertSizes, tensors: Mapping[str, torch.Tensor], parameters: int, path: Path
) -> EncoderCard:
    """The card of a network.

    Args:
        sizes: of the network.
        tensors: by canonical name; those that tell encoders apart are enough.
        parameters: how many numbers it holds in all.
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
        fingerprint=_fingerprint(tensors),
    )


def _fingerprint(tensors: Mapping[str, torch.Tensor]) -> str:
    """A hash of small tensors, rounded to float16 so that every copy of the model has the same."""
    digest = hashlib.sha256()
    for name in _FINGERPRINTED:
        digest.update(tensors[name].to(torch.float16).contiguous().numpy().astype("<f2").tobytes())
    return digest.hexdigest()[:16]


def convert(path: Path, archive: Archive | None) -> tuple[dict[str, torch.Tensor], EncoderCard]:
    """Every tensor as stored, by canonical name, and the card.

    The positional convolution keeps its weight norm: folding it at load gives the same bits from
    every form of a file.

    Raises:
        WeightsError: if it is no encoder, broken or of another architecture.
    """
    made = card(path, archive)
    found = _recognise(archive) if archive is not None else None
    if made is None or found is None:
        raise wrong_kind(path, NOUN, FIX)
    return found.read(found.sizes.layers, project=True), made


KIND = FileKind(NAME, NOUN, card, convert)
"""For ``voicegraph inspect`` and ``convert``."""
