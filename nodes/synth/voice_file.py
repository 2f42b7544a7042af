"""RVC voices as files: ``.pth`` as trainers extract them, or converted to safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import ValidationError

from voicegraph.graph import Problem
from voicegraph.graph.files.models import Archive, FileKind, TensorHeader, WeightsError
from voicegraph.graph.files.models.identify import first_fault, not_understood
from voicegraph.graph.files.models.load_state import as_notes, misfits
from voicegraph.graph.files.models.wrong_kind import open_expected, wrong_kind
from voicegraph.nodes.synth._weight_norm import folded_shapes
from voicegraph.nodes.synth.network import Network
from voicegraph.schemas.voice_card import VoiceCard, VoiceConfig

NAME = "voice"
NOUN = "an RVC voice"
_UNUSED = "enc_q."
"""The encoder that only training needs."""
Version = Literal["v1", "v2"]
_WIDTHS: dict[Version, int] = {"v1": 256, "v2": 768}
_HIFIGAN = ("hifigan", "nsfhifigan", "hifigannsf")
_TEXT = 200
_MOST_FACTS = 40


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """A voice in a file, known by its header.

    Attributes:
        archive: the opened file.
        names: name in the voice's state dict -> name in the file, of every tensor that is used.
        card: what it is.
    """

    archive: Archive
    names: Mapping[str, str]
    card: VoiceCard

    def headers(self) -> dict[str, TensorHeader]:
        """Shapes and dtypes by name in the state dict."""
        return {name: self.archive.tensors[own] for name, own in self.names.items()}

    def read(self) -> dict[str, torch.Tensor]:
        """All tensors that are used, as stored, by name in the state dict.

        Raises:
            WeightsError: if one of them holds NaN or infinity.
        """
        found = self.archive.read(self.names.values())
        return {name: found[own] for name, own in self.names.items()}


def open_voice(path: Path, fix: str | None = None) -> VoiceFile:
    """Reads the header of a voice that can be used.

    Args:
        path: of the file.
        fix: what to type where it is something else.

    Raises:
        WeightsError: if it is no voice, damaged, of a version or a vocoder not known here, or its
            tensors are not those that its config speaks of.
    """
    archive = open_expected(path, NOUN, fix)
    found = _recognise(archive)
    if found is None:
        raise wrong_kind(path, NOUN, fix)
    if not _is_hifigan(found.card):
        raise WeightsError(
            Problem(
                "unknown-vocoder",
                f"{path}: a voice trained with the vocoder {found.card.vocoder}; only HiFi-GAN, "
                "the one of RVC itself, can be used",
                fix="use a voice that was trained with HiFi-GAN",
            )
        )
    return found


def _recognise(archive: Archive) -> VoiceFile | None:
    tree = archive.tree
    if archive.card is not None:
        found = _converted(archive)
    elif isinstance(tree, dict):
        _refuse_training(archive, tree)
        found = _extracted(archive, tree)
    else:
        found = None
    if found is not None and _is_hifigan(found.card):
        _check_shapes(found)
    return found


def _converted(archive: Archive) -> VoiceFile | None:
    if archive.card is None or archive.card.get("kind") != NAME:
        return None
    try:
        card = VoiceCard.model_validate(archive.card)
    except ValidationError as error:
        raise not_understood(archive.path, first_fault(error)) from None
    found = VoiceFile(archive, {name: name for name in archive.tensors}, card)
    counted = sum(header.numel for header in archive.tensors.values())
    if (card.parameters, card.speakers) != (counted, _speakers(found.headers(), archive.path)):
        raise _broken(archive.path, "its card speaks of other tensors than it holds")
    return found


def _extracted(archive: Archive, tree: Mapping[object, object]) -> VoiceFile | None:
    weights, config = tree.get("weight"), tree.get("config")
    if not isinstance(weights, dict):
        return None
    if not isinstance(config, (list, tuple)):
        if "enc_p.emb_phone.weight" not in weights or config is not None:
            return None
        raise _broken(archive.path, "it has no config, which says how large its networks are")
    names = {
        name: f"weight.{name}"
        for name, value in weights.items()
        if isinstance(name, str) and isinstance(value, TensorHeader)
        if not name.startswith(_UNUSED)
    }
    headers = {name: archive.tensors[own] for name, own in names.items()}
    try:
        sizes = VoiceConfig.from_list(config)
    except ValidationError as error:
        raise _broken(archive.path, f"its config does not hold: {first_fault(error)}") from None
    except ValueError as error:
        raise _broken(archive.path, str(error)) from None
    return VoiceFile(archive, names, _describe(archive, tree, sizes, headers))


def _describe(
    archive: Archive,
    tree: Mapping[object, object],
    sizes: VoiceConfig,
    headers: Mapping[str, TensorHeader],
) -> VoiceCard:
    """The card of a voice as trainers write it."""
    known = ("weight", "config", "version", "f0", "info", "vocoder", "embedder_model", "author")
    text = {
        str(key)[:_TEXT]: str(value)[:_TEXT]
        for key, value in tree.items()
        if isinstance(value, (str, int, float))
    }
    facts = {key: value for key, value in text.items() if key not in known}
    return VoiceCard(
        title=text.get("model_name", "") or archive.path.stem[:_TEXT],
        licence="",
        source=archive.path.name,
        version=_version(archive.path, tree, headers),
        f0=_takes_pitch(archive.path, tree),
        speakers=_speakers(headers, archive.path),
        config=sizes,
        parameters=sum(header.numel for header in headers.values()),
        encoder=text.get("embedder_model", ""),
        vocoder=text.get("vocoder", "HiFi-GAN"),
        info=text.get("info", ""),
        author=text.get("author", ""),
        trained=dict(list(facts.items())[:_MOST_FACTS]),
    )


def _version(
    path: Path, tree: Mapping[object, object], headers: Mapping[str, TensorHeader]
) -> Version:
    said = tree.get("version", "v1")
    version: Version | None = "v1" if said == "v1" else "v2" if said == "v2" else None
    if version is None:
        raise WeightsError(
            Problem(
                "unknown-version",
                f"{path}: a voice of version {str(said)[:40]!r}; known are v1 and v2",
                fix="use a voice of version v1 or v2",
            )
        )
    width, first = _WIDTHS[version], headers.get("enc_p.emb_phone.weight")
    if first is not None and len(first.shape) == 2 and first.shape[1] != width:
        raise _broken(
            path,
            f"it calls itself {version}, which takes content of width {width}, but its first layer "
            f"takes {first.shape[1]}",
        )
    return version


def _takes_pitch(path: Path, tree: Mapping[object, object]) -> bool:
    value = tree.get("f0", 1)
    if str(value) not in ("0", "1", "True", "False"):
        raise _broken(path, f"its f0 should be 0 or 1, found {str(value)[:40]!r}")
    return str(value) in ("1", "True")


def _speakers(headers: Mapping[str, TensorHeader], path: Path) -> int:
    embedding = headers.get("emb_g.weight")
    if embedding is None or len(embedding.shape) != 2 or not embedding.shape[0]:
        raise _broken(path, "it has no emb_g.weight, where its speakers are")
    return embedding.shape[0]


def _is_hifigan(card: VoiceCard) -> bool:
    return "".join(filter(str.isalnum, card.vocoder.lower())) in _HIFIGAN


def _refuse_training(archive: Archive, tree: Mapping[object, object]) -> None:
    """Checkpoints of a training under way hold a voice's weights, but not what it is."""
    model = tree.get("model")
    if not isinstance(model, dict) or not {"iteration", "optimizer"} & tree.keys():
        return
    if "enc_p.emb_phone.weight" in model:
        what, advice = "G_*.pth", "extract a voice from it, as trainers do under `ckpt processing`"
    elif any(str(name).startswith("discriminators.") for name in model):
        what, advice = "D_*.pth", "take the G_*.pth beside it, and extract a voice from that"
    else:
        return
    raise WeightsError(
        Problem(
            "training-checkpoint",
            f"{archive.path}: a checkpoint of an RVC training ({what}), which does not say what "
            "its voice is",
            fix=f"{advice}; or use the small .pth in the trainer's folder `weights`",
        )
    )


def build(card: VoiceCard) -> Network:
    """The network of a card, on the ``meta`` device: without memory."""
    with torch.device("meta"):
        return Network(card.config, card.dim, card.f0, card.speakers)


def _check_shapes(found: VoiceFile) -> None:
    """Before any memory is taken: that the tensors are those of the config."""
    wanted = {name: tuple(t.shape) for name, t in build(found.card).state_dict().items()}
    headers = found.headers()
    present = folded_shapes({name: header.shape for name, header in headers.items()})
    lines = misfits(wanted, present)
    lines += [
        f"{name}: expected floating point, found {str(header.dtype).removeprefix('torch.')}"
        for name, header in headers.items()
        if not header.dtype.is_floating_point
    ]
    if lines:
        raise WeightsError(
            Problem(
                "weights-do-not-fit",
                f"{found.archive.path}: its tensors are not those that its config speaks of",
                notes=as_notes(lines),
                fix="download the voice again, or extract it again with its trainer",
            )
        )


def _broken(path: Path, why: str) -> WeightsError:
    return WeightsError(
        Problem("broken-voice", f"{path}: an RVC voice, but {why}", fix="get the voice again")
    )


def _card(_path: Path, archive: Archive | None) -> VoiceCard | None:
    found = _recognise(archive) if archive is not None else None
    return found.card if found else None


def _convert(path: Path, archive: Archive | None) -> tuple[dict[str, torch.Tensor], VoiceCard]:
    """Every tensor that is used, as stored, and the card."""
    found = _recognise(archive) if archive is not None else None
    if found is None:
        raise wrong_kind(path, NOUN)
    return found.read(), found.card


KIND = FileKind(NAME, NOUN, _card, _convert)
"""For ``voicegraph inspect`` and ``convert``."""
