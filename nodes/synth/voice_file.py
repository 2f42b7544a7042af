"""RVC voices as files: ``.pth`` as trainers extract them, or converted safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import ValidationError

from voicegraph.graph import Problem
from voicegraph.graph.files.models import Archive, ModelFile, TensorHeader, WeightsError
from voicegraph.graph.files.models.identify import first_validation_error
from voicegraph.graph.files.models.load_state import (
    dtype_mismatches,
    shape_mismatches,
    state_error,
)
from voicegraph.nodes.synth._weight_norm import folded_shapes
from voicegraph.nodes.synth.network import Network
from voicegraph.schemas.voice_card import VoiceCard, VoiceConfig

NOUN = "an RVC voice"
_UNUSED = "enc_q."
"""The posterior encoder, which only training needs."""
Version = Literal["v1", "v2"]
_WIDTHS: dict[Version, int] = {"v1": 256, "v2": 768}
_HIFIGAN = ("hifigan", "nsfhifigan", "hifigannsf")
_TEXT = 200
_MOST_FACTS = 40


@dataclass(frozen=True, slots=True)
class VoiceFile(ModelFile):
    """An RVC voice in a file.

    Attributes:
        archive: the opened file.
        names: name in the voice's state dict -> name in the file, of every tensor that is used.
        card: of the voice.
    """

    name = "voice"
    noun = NOUN
    broken_code = "broken-voice"
    broken_fix = "get the voice again"

    archive: Archive
    names: Mapping[str, str]
    card: VoiceCard

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> VoiceFile | None:
        """The voice, by its header alone.

        Raises:
            WeightsError: if it is a training checkpoint, of an unknown version, or its tensors are
                not those of its config.
        """
        if archive is None:
            return None
        if archive.card is not None:
            found = _converted(archive)
        elif isinstance(archive.tree, dict):
            _refuse_training_checkpoint(path, archive.tree)
            found = _extracted(archive, archive.tree)
        else:
            found = None
        if found is not None and _is_hifigan(found.card):
            _check_shapes(found)
        return found

    def describe(self) -> VoiceCard:
        """The card of a converted file, or one made of what trainers write."""
        return self.card

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors that are used, as stored, by name in the state dict."""
        found = self.archive.read(self.names.values())
        return {name: found[own] for name, own in self.names.items()}

    def headers(self) -> dict[str, TensorHeader]:
        """Shapes and dtypes by name in the state dict."""
        return {name: self.archive.tensors[own] for name, own in self.names.items()}


def open_voice(path: Path, fix: str | None = None) -> VoiceFile:
    """Reads the header of a voice that can be used.

    Args:
        path: of the file.
        fix: what to type if it is something else.

    Raises:
        WeightsError: if it is of another kind, damaged, of an unknown version or vocoder, or its
            tensors are not those of its config.
    """
    found = VoiceFile.open(path, fix)
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


def _converted(archive: Archive) -> VoiceFile | None:
    card = VoiceFile.stated_card(archive, VoiceCard)
    if card is None:
        return None
    found = VoiceFile(archive, {name: name for name in archive.tensors}, card)
    counted = sum(header.numel for header in archive.tensors.values())
    if (card.parameters, card.speakers) != (counted, _speakers(archive.path, found.headers())):
        raise VoiceFile.broken(archive.path, "its card describes other tensors than it holds")
    return found


def _extracted(archive: Archive, tree: Mapping[object, object]) -> VoiceFile | None:
    """A voice as trainers extract it from a checkpoint."""
    weights, config = tree.get("weight"), tree.get("config")
    if not isinstance(weights, dict):
        return None
    if not isinstance(config, (list, tuple)):
        if "enc_p.emb_phone.weight" not in weights or config is not None:
            return None
        text = "it has no config, which states the sizes of its networks"
        raise VoiceFile.broken(archive.path, text)
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
        text = f"its config is not valid: {first_validation_error(error)}"
        raise VoiceFile.broken(archive.path, text) from None
    except ValueError as error:
        raise VoiceFile.broken(archive.path, str(error)) from None
    return VoiceFile(archive, names, _describe(archive, tree, sizes, headers))


def _describe(
    archive: Archive,
    tree: Mapping[object, object],
    sizes: VoiceConfig,
    headers: Mapping[str, TensorHeader],
) -> VoiceCard:
    """The card, made of what trainers write beside the weights."""
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
        speakers=_speakers(archive.path, headers),
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
        raise VoiceFile.broken(
            path,
            f"it calls itself {version}, which takes content of width {width}, but its first layer "
            f"takes {first.shape[1]}",
        )
    return version


def _takes_pitch(path: Path, tree: Mapping[object, object]) -> bool:
    value = tree.get("f0", 1)
    if str(value) not in ("0", "1", "True", "False"):
        raise VoiceFile.broken(path, f"its f0 should be 0 or 1, found {str(value)[:40]!r}")
    return str(value) in ("1", "True")


def _speakers(path: Path, headers: Mapping[str, TensorHeader]) -> int:
    embedding = headers.get("emb_g.weight")
    if embedding is None or len(embedding.shape) != 2 or not embedding.shape[0]:
        raise VoiceFile.broken(path, "it has no emb_g.weight, the embedding of its speakers")
    return embedding.shape[0]


def _is_hifigan(card: VoiceCard) -> bool:
    return "".join(filter(str.isalnum, card.vocoder.lower())) in _HIFIGAN


def _refuse_training_checkpoint(path: Path, tree: Mapping[object, object]) -> None:
    """A training checkpoint holds the weights of a voice, but not its config."""
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
            f"{path}: a checkpoint of an RVC training ({what}), which does not state the config "
            "of its voice",
            fix=f"{advice}; or use the small .pth in the trainer's folder `weights`",
        )
    )


def build(card: VoiceCard) -> Network:
    """The network of a card on the ``meta`` device, which allocates no memory."""
    with torch.device("meta"):
        return Network(card.config, card.dim, card.f0, card.speakers)


def _check_shapes(found: VoiceFile) -> None:
    """Compares shapes and dtypes with those of the config before memory is allocated."""
    wanted = {name: tuple(t.shape) for name, t in build(found.card).state_dict().items()}
    headers = found.headers()
    present = folded_shapes({name: header.shape for name, header in headers.items()})
    lines = shape_mismatches(wanted, present) + dtype_mismatches(headers)
    if lines:
        raise state_error(
            found.archive.path,
            "its tensors are not those that its config describes",
            lines,
            "download the voice again, or extract it again with its trainer",
        )


KIND = VoiceFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
