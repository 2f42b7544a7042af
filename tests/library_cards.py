"""Entries of a library of voices with made-up cards, for tests that open no model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voicegraph.graph.files.voice_library import CARD, library_folder
from voicegraph.schemas.voice_library import KeptFile, LibraryCard, WantedEncoder

HUBERT = "0123456789abcdef"


def kept(file: str) -> KeptFile:
    """A file of the library, as a card names it."""
    return KeptFile(file=file, bytes=4, sha256="ab" * 32, was=f"my {file}")


def write_card(name: str, **more: Any) -> Path:
    """Puts an entry with empty files into the library; its folder.

    Args:
        name: of the entry.
        more: fields of its card; by default it is an RVC voice of version 2 without an index.
    """
    fields: dict[str, Any] = {
        "title": name.title(),
        "kind": "rvc",
        "model": kept(f"{name}.safetensors"),
        "rate_hz": 40000,
        "version": "v2",
        "speakers": 1,
    }
    if more.get("kind", "rvc") == "rvc":
        fields["encoder"] = WantedEncoder(asset="hubert", width=768)
    card = LibraryCard.model_validate({**fields, **more, "name": name})
    folder = library_folder() / name
    for file in (card.model, card.index, card.picture):
        if file is not None:
            place = folder / card.generation / file.file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"none")
    (folder / CARD).write_text(card.model_dump_json(), encoding="utf-8")
    return folder


def write_encoder(name: str = "hubert", **more: Any) -> Path:
    """Puts a content encoder with features of both widths into the library; its folder."""
    fields = {"kind": "content_encoder", "version": None, "rate_hz": None, "speakers": None}
    return write_card(name, **{**fields, "widths": (256, 768), "fingerprint": HUBERT, **more})
