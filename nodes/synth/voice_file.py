"""RVC voices as files: ``.pth`` of all trainers, safetensors of others and our own, and exports.

The tensors decide what a voice is; keys beside them only add what no tensor shows, and a remark is
made of each that contradicts the tensors.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.graph.files.models import Archive, ModelFile, TensorHeader
from voicegraph.graph.files.models.load_state import (
    dtype_mismatches,
    shape_mismatches,
    state_error,
)
from voicegraph.graph.files.models.model_file import Unusable, believed
from voicegraph.graph.files.models.plain_values import Plain, plain_value
from voicegraph.graph.files.models.state_dict import find_state_dict, settings_around
from voicegraph.nodes.synth._other_formats import (
    refuse_arrays,
    refuse_other_formats,
    without_config,
)
from voicegraph.nodes.synth._voice_config import ConfigError, read_config
from voicegraph.nodes.synth._voice_facts import VoiceFacts, is_hifigan
from voicegraph.nodes.synth._voice_shapes import CONTENT, FOLDED, SPEAKERS, Shapes
from voicegraph.nodes.synth._weight_norm import fold, folded_shapes
from voicegraph.nodes.synth.network import VoiceNetwork
from voicegraph.schemas.voice_card import VoiceCard

NOUN = "an RVC voice"
_UNUSED = "enc_q."
"""The posterior encoder, which only training needs."""
_CONFIGS = ("config", "hps", "hparams", "model_config")
"""Keys of the config beside the weights."""
_MOST_TEXT = 4096
"""Longest text of a config that is read as Python prints a list: a deep one needs much memory."""
_EXTRACT = (
    "extract the voice from its training again, or use another voice; downloading it again gives "
    "the same"
)


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
    broken_fix = _EXTRACT
    exported_by = ("synth.rvc",)

    archive: Archive
    names: Mapping[str, str]
    card: VoiceCard

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> VoiceFile | None:
        """The voice, by its header alone.

        Raises:
            WeightsError: if it is a training checkpoint or a voice of another program, its config
                cannot be read, or its tensors are not those of its config.
        """
        if archive is None:
            return None
        stated = cls.stated_card(archive, VoiceCard)
        if archive.export is not None and stated is None:
            raise cls.broken(path, "the exported network lacks the card of its voice")
        if archive.card is not None and stated is None:
            return None
        found = _read(path, archive, stated)
        if found is not None and found.unusable is None:
            _check_shapes(found)
        return found

    @property
    def folded(self) -> bool:
        """Whether norms and speakers are folded, as in exported networks."""
        return FOLDED in self.names

    @property
    def unusable(self) -> Unusable | None:
        """Whether it has another vocoder or takes features of another width."""
        return unusable_voice(self.card)

    def describe(self) -> VoiceCard:
        """The card of a converted file, or one made of what trainers write."""
        return self.card

    def tensors(self) -> dict[str, torch.Tensor]:
        """All tensors that are used, as stored, by name in the state dict."""
        found = self.archive.read(self.names.values())
        return {name: found[own] for name, own in self.names.items()}

    def plain_tensors(self) -> dict[str, torch.Tensor]:
        """The same with weight norms folded, in float32: equal names for every form of a voice."""
        return fold(self.tensors())

    def headers(self) -> dict[str, TensorHeader]:
        """Shapes and dtypes by name in the state dict."""
        return {name: self.archive.tensors[own] for name, own in self.names.items()}


def open_voice(path: Path, fix: str | None = None) -> VoiceFile:
    """Reads the header of a voice that can be used.

    Args:
        path: of the file.
        fix: what to type if it is something else.

    Raises:
        WeightsError: if it is of another kind, damaged, of an unknown width or vocoder, or its
            tensors are not those of its config.
    """
    return VoiceFile.open(path, fix)


def unusable_voice(card: VoiceCard) -> Unusable | None:
    """Why a voice cannot be used; None if it can."""
    if not is_hifigan(card.vocoder):
        return Unusable(
            f"it was trained with the vocoder {card.vocoder}; only HiFi-GAN, the one of RVC "
            "itself, can be used",
            "use a voice that was trained with HiFi-GAN",
        )
    if card.width is not None:
        return Unusable(
            f"it takes content features of width {card.width}; the encoders that can be used give "
            "256 (v1) or 768 (v2)",
            "use a voice of version v1 or v2",
        )
    return None


def _read(path: Path, archive: Archive, stated: VoiceCard | None) -> VoiceFile | None:
    """The voice in a file; None if there is none."""
    found = find_state_dict(archive.tensors, CONTENT, SPEAKERS)
    config, settings = None, dict[str, Plain]()
    if stated is None:
        if found is None or CONTENT not in found.names:
            refuse_other_formats(path, archive.tensors)
        if found is None:
            refuse_arrays(path, archive.tree, CONTENT)
            return None
        settings = settings_around(archive, found)
        # A voice that lacks its first layer is recognised by the form that trainers extract.
        has_config = any(settings.get(key) is not None for key in _CONFIGS)
        if CONTENT not in found.names and not (has_config and _is_extracted(archive)):
            return None
        if not has_config:
            raise without_config(path, archive, settings)
        config = _stated_config(path, archive, settings)
    names = {} if found is None else found.names
    used = {name: own for name, own in names.items() if not name.startswith(_UNUSED)}
    headers = {name: archive.tensors[own] for name, own in used.items()}
    facts = VoiceFacts(headers, folded_shapes({n: h.shape for n, h in headers.items()}))
    if not facts.speakers:
        text = f"it has no {SPEAKERS}, the embedding of its speakers"
        raise VoiceFile.broken(path, text)
    card = _card(path, facts, settings, config, stated, [found.remark] if found else [])
    return VoiceFile(archive, used, card)


def _stated_config(path: Path, archive: Archive, settings: Mapping[str, Plain]) -> Plain:
    """The config beside the weights, also as text; None if there is none."""
    found = next((settings[key] for key in _CONFIGS if settings.get(key) is not None), None)
    if not isinstance(found, str):
        return found
    try:
        return plain_value(archive, _values_in_text(found))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise VoiceFile.broken(path, "its config is text, but neither JSON nor a list") from None


def _values_in_text(text: str) -> object:
    """Values written as JSON or, by ``str(config)``, as Python prints a list."""
    try:
        return json.loads(text)
    except ValueError:
        if len(text) > _MOST_TEXT:
            raise
        return ast.literal_eval(text)


def _is_extracted(archive: Archive) -> bool:
    """Whether a file has the weights where trainers that extract a voice put them."""
    tree = archive.tree
    return isinstance(tree, dict) and isinstance(tree.get("weight"), dict)


def _card(
    path: Path,
    facts: VoiceFacts,
    settings: Mapping[str, Plain],
    config: Plain,
    stated: VoiceCard | None,
    remarks: list[str],
) -> VoiceCard:
    """The card: what the tensors show, and what is stated beside them."""
    wanted = stated.config.model_dump(mode="json") if stated else config
    try:
        sizes, more = read_config(wanted, facts.shapes, settings.get("sr"))
    except ConfigError as error:
        raise VoiceFile.broken(path, str(error)) from None
    if stated is None:
        return facts.card(path, settings, sizes, [*remarks, *more])
    derived = facts.derived(stated, sizes)
    return believed(stated, derived.model_copy(update={"remarks": tuple(filter(None, remarks))}))


def build(card: VoiceCard, folded: bool = False) -> VoiceNetwork:
    """The network of a card on the ``meta`` device, which allocates no memory.

    Args:
        card: of the voice.
        folded: with norms and speakers folded.
    """
    with torch.device("meta"), torch.no_grad():
        network = VoiceNetwork(card.config, card.dim, card.f0, card.speakers)
        if folded:
            network.requires_grad_(False).fold()
    return network


def _check_shapes(found: VoiceFile) -> None:
    """Compares shapes and dtypes with those of the config before memory is allocated."""
    state = build(found.card, found.folded).state_dict()
    wanted = {name: tuple(tensor.shape) for name, tensor in state.items()}
    headers = found.headers()
    present: Shapes = folded_shapes({name: header.shape for name, header in headers.items()})
    lines = shape_mismatches(wanted, present) + dtype_mismatches(headers)
    if lines:
        raise state_error(
            found.archive.path,
            "its tensors are not those of an RVC voice",
            lines,
            _EXTRACT,
        )


KIND = VoiceFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
