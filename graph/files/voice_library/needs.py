"""What a voice of the library lacks before it can speak, each with what to type."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from voicegraph.schemas.voice_library import WantedEncoder

from ...errors import Problem
from .library import LibraryEntry

_ENCODER_KINDS = {"hubert": "content_encoder", "phonetic": "phonetic_encoder"}


def needs_of(entry: LibraryEntry, library: Mapping[str, LibraryEntry]) -> list[Problem]:
    """What is missing; empty if the voice can speak, and for models.

    Args:
        entry: the voice.
        library: everything in the library, as ``entries`` gives it.
    """
    if entry.bundled or not entry.card.is_voice:
        return []
    found = [_lost(entry, path) for path in _files(entry) if not path.is_file()]
    encoder = entry.card.encoder
    if encoder is None or encoder.chosen_by == "bundled":
        return found
    named = library.get(encoder.name or "")
    if encoder.name is not None and named is not None:
        return [*found, *(_lost(named, path) for path in _files(named) if not path.is_file())]
    return [*found, _no_encoder(entry.name, encoder, library)]


def candidates(
    encoder: WantedEncoder, library: Mapping[str, LibraryEntry]
) -> dict[str, LibraryEntry]:
    """The encoders of the library that a voice can take, by name.

    Where the voice states the encoder that it was trained on, only that one; else every encoder
    that gives features of its width.
    """
    kind = _ENCODER_KINDS[encoder.asset]
    found = {name: entry for name, entry in library.items() if entry.card.kind == kind}
    if encoder.fingerprint is not None:
        return {n: e for n, e in found.items() if e.card.fingerprint == encoder.fingerprint}
    return {
        name: entry
        for name, entry in found.items()
        if encoder.width is None or not entry.card.widths or encoder.width in entry.card.widths
    }


def described(encoder: WantedEncoder) -> str:
    """The encoder that a voice takes, in words."""
    words = ["a content encoder of the HuBERT base architecture (hubert_base.pt, ContentVec)"]
    if encoder.asset == "phonetic":
        words = ["another phonetic encoder than the one that comes along"]
    if encoder.fingerprint is not None:
        title = f"{encoder.stated}, " if encoder.stated else ""
        words = [f"the encoder that it was trained on ({title}fingerprint {encoder.fingerprint})"]
    elif encoder.stated:
        words.append(f"which its trainer calls {encoder.stated}")
    if encoder.width is not None:
        words.append(f"features of width {encoder.width}")
    return ", ".join(words)


def _no_encoder(name: str, encoder: WantedEncoder, library: Mapping[str, LibraryEntry]) -> Problem:
    suitable = list(candidates(encoder, library))
    if len(suitable) > 1:
        listed = " and ".join([", ".join(suitable[:-1]), suitable[-1]])
        text = f"{name} does not state its content encoder, and the library has {listed}"
        fix = f"voicegraph voice edit {name} --encoder {suitable[0]}"
        return Problem("which-encoder", text, fix=fix)
    if suitable:
        text = f"{name} takes {described(encoder)}; {suitable[0]} in the library may be it"
        return Problem(
            "which-encoder", text, fix=f"voicegraph voice edit {name} --encoder {suitable[0]}"
        )
    what = "hubert_base.pt" if encoder.asset == "hubert" else "ENCODER.safetensors"
    text = f"{name} needs {described(encoder)}, which the library does not have"
    return Problem("missing-encoder", text, fix=f"voicegraph voice add {what}")


def _files(entry: LibraryEntry) -> list[Path]:
    return [path for path in (entry.model_file, entry.index_file) if path is not None]


def _lost(entry: LibraryEntry, path: Path) -> Problem:
    text = f"{path}, a file of {entry.name}, is missing"
    fix = f"add it again, with --force: it was made of {entry.card.source or entry.card.model.was}"
    return Problem("missing-file", text, fix=fix)
