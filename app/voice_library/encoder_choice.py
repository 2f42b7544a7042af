"""Which encoder of the library a voice takes: by fingerprint, else as its trainer says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.voice_library import LibraryEntry, candidates, require
from voicegraph.schemas.onnx_card import OnnxCard
from voicegraph.schemas.source_filter_card import SourceFilterCard
from voicegraph.schemas.voice_card import VoiceCard
from voicegraph.schemas.voice_library import WantedEncoder

from .contents import FoundModel

_USUAL = frozenset({"", "hubert", "contentvec"})
"""Names that trainers write for one and the same file: RVC's ``hubert_base.pt`` is ContentVec."""


def wanted_encoder(voice: FoundModel) -> WantedEncoder | None:
    """The encoder that a voice takes, as far as its file says."""
    identity = voice.trained_on
    stated = {
        "width": voice.width,
        "fingerprint": identity.fingerprint if identity else None,
    }
    match voice.found.card:
        case SourceFilterCard():
            title = identity.title if identity else ""
            return WantedEncoder(asset="phonetic", stated=title, **stated)
        case VoiceCard() | OnnxCard() as card:
            taken = card.features
            return WantedEncoder(
                asset="hubert",
                layer=taken.layer if taken else None,
                projected=taken.project if taken else None,
                stated=card.encoder or (identity.title if identity else ""),
                **stated,
            )
    return None


def with_choice(
    encoder: WantedEncoder, library: Mapping[str, LibraryEntry], given: str | None = None
) -> WantedEncoder:
    """The same with the encoder of the library that it means, if that is certain enough.

    Args:
        encoder: what the voice says.
        library: everything in the library.
        given: name of the encoder that the user chose.

    Raises:
        InputError: if the given one is none, or another than the voice states.
    """
    if given is not None:
        name = _given(encoder, given)
        return encoder.model_copy(update={"name": name, "chosen_by": "given"})
    suitable = candidates(encoder, library)
    if encoder.fingerprint is not None:
        if not suitable:
            return _unchosen(encoder)
        return encoder.model_copy(update={"name": next(iter(suitable)), "chosen_by": "fingerprint"})
    stated = _plain(encoder.stated)
    alike = [name for name, entry in suitable.items() if stated and _names(entry, stated)]
    if len(alike) == 1:
        return encoder.model_copy(update={"name": alike[0], "chosen_by": "stated name"})
    if len(suitable) == 1 and stated in _USUAL:
        return encoder.model_copy(
            update={"name": next(iter(suitable)), "chosen_by": "the only one"}
        )
    return _unchosen(encoder)


def _unchosen(encoder: WantedEncoder) -> WantedEncoder:
    return encoder.model_copy(update={"name": None, "chosen_by": ""})


def _given(encoder: WantedEncoder, given: str) -> str:
    """The name of an encoder that the user chose.

    Raises:
        InputError: if it cannot be the one.
    """
    entry = require(given)
    if entry.name in candidates(encoder, {entry.name: entry}):
        return entry.name
    kind = entry.card.kind.replace("_", " ")
    text = f"{entry.name} of the library is a {kind}, and no encoder that this voice can take"
    if encoder.fingerprint is not None and entry.card.fingerprint is not None:
        text = (
            f"the voice was trained on the encoder {encoder.fingerprint} "
            f"({encoder.stated or 'without a name'}); {entry.name} is {entry.card.fingerprint}"
        )
    elif entry.card.widths and encoder.width not in entry.card.widths:
        widths = " and ".join(map(str, entry.card.widths))
        text = f"the voice takes features of width {encoder.width}; {entry.name} gives {widths}"
    raise InputError(Problem("wrong-encoder", text, fix="voicegraph voice list"))


def _names(entry: LibraryEntry, stated: str) -> bool:
    """Whether a trainer's name is one of an encoder's; ``_base`` at the end says nothing."""
    own = (entry.name, entry.card.title, PurePath(entry.card.model.was).stem)
    return stated in {_plain(name) for name in own}


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower())).removesuffix("base")
