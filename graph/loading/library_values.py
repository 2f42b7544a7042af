"""What a pipeline takes from the card of its voice, where it leaves a value open.

If ``vars.voice`` names a voice of the library, its card gives

* ``vars.index``, if that is null and no override says so: the index of the voice;
* ``assets.hubert`` or ``assets.phonetic``, if it is ``required``: the encoder of the voice;
* settings that fit the voice, such as ``vars.transpose``, where the pipeline has the default of a
  pipeline that comes along.

Whatever a user wrote, in a file, a profile or an override, takes precedence. Nothing of this is
kept in the document that further overrides apply to: another voice brings its own values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voicegraph.schemas.voice_library import WantedEncoder

from ..errors import InputError, Mark, PipelineError, Problem, Problems
from ..files.voice_library import (
    PREFIX,
    LibraryEntry,
    entries,
    needs_of,
    pipelines_of,
    require,
    settings_of,
)
from ..library_value import LibraryValue
from ._variables import REQUIRED
from .document import Document, from_python
from .library_files import library_entry
from .overrides import Override, apply_overrides
from .source_map import KeyPath, dotted
from .sources import shipped_folder

VOICE: KeyPath = ("vars", "voice")
INDEX: KeyPath = ("vars", "index")
_REPLACED = {"nodes.voice.use": "synth.rvc", "nodes.content.use": "content.hubert"}
"""Nodes of bundled pipelines in whose place those for ONNX files stand."""
_CHOSEN = {
    "fingerprint": "the one that the voice was trained on",
    "stated name": "the one that its trainer names; the voice states no fingerprint",
    "the only one": "the only suitable one; the voice does not state its own",
    "given": "as its card says",
}


def with_library_values(document: Document) -> tuple[Document, tuple[LibraryValue, ...]]:
    """The document with what its voice brings, and what that is.

    Raises:
        PipelineError: if ``vars.voice`` is the name of a voice and of a file.
        InputError: if the card of the voice cannot be read.
    """
    entry = voice_entry(document)
    if entry is None or not entry.card.is_voice:
        return document, ()
    taken = tuple(_taken(document, entry))
    mark = Mark(f"the card of {entry.name}")
    overrides = [
        Override(path, from_python(one.value, mark, override=True, kind=document.kind), mark)
        for one in taken
        if (path := tuple(one.path.split("."))) != VOICE
    ]
    problems = Problems()
    filled = apply_overrides(document, overrides, problems)
    problems.raise_if_any()
    return filled, taken


def voice_entry(document: Document) -> LibraryEntry | None:
    """The voice of the library that ``vars.voice`` names; None if it names none.

    Raises:
        PipelineError: as :func:`with_library_values`.
        InputError: likewise.
    """
    value = _section(document, "vars").get("voice")
    return library_entry(document.source_map, VOICE, value) if isinstance(value, str) else None


def voice_overrides(document: Document, name: str) -> dict[str, Any]:
    """Overrides with which a pipeline speaks with a voice of the library.

    Whatever earlier overrides said of voice, index and encoder is replaced.

    Args:
        document: the pipeline before substitution of vars, as ``LoadedPipeline.document`` has it.
        name: of the voice, with or without ``library:``.

    Raises:
        InputError: if the library has no such voice, or it lacks something.
        PipelineError: if the pipeline has no var ``voice``.
    """
    entry, library = require(name), entries()
    if not entry.card.is_voice:
        text = f"{entry.name} of the library is a {entry.card.kind.replace('_', ' ')}, not a voice"
        raise InputError(Problem("no-voice", text, fix="voicegraph voice list"))
    if needs := needs_of(entry, library):
        raise InputError(needs)
    known = _section(document, "vars")
    if "voice" not in known:
        usable = " or ".join(pipelines_of(entry.card))
        text = f"{document.source_map.source} has no var `voice`, so it takes no voice by name"
        raise PipelineError(Problem("no-voice-var", text, fix=f"use {usable}"))
    whole = f"{PREFIX}{entry.name}"
    found: dict[str, Any] = {"vars.voice": whole}
    if "index" in known:
        found["vars.index"] = whole if entry.index_file is not None else None
    encoder = entry.card.encoder
    if encoder is not None and encoder.name and encoder.asset in _section(document, "assets"):
        found[f"assets.{encoder.asset}"] = f"{PREFIX}{encoder.name}"
    return found


def _taken(document: Document, entry: LibraryEntry) -> Iterator[LibraryValue]:
    """The values that the document leaves open and the card gives."""
    name, library = entry.name, entries()
    stated = document.data["vars"]["voice"]
    yield LibraryValue("vars.voice", stated, stated, name, entry.card.title)
    if entry.index_file is not None and _is_open(document, INDEX, None):
        yield LibraryValue("vars.index", f"{PREFIX}{name}", None, name, "the index of the voice")
    encoder = entry.card.encoder
    if encoder is not None and encoder.name in library:
        yield from _encoder(document, name, encoder)
    for path, value in settings_of(entry, library).items():
        now = _value(document, tuple(path.split(".")))
        fits = now == _REPLACED.get(path, now) and now != value
        if fits and _is_default(document, tuple(path.split("."))):
            yield LibraryValue(path, value, now, name, "a setting that fits the voice")


def _encoder(document: Document, voice: str, encoder: WantedEncoder) -> Iterator[LibraryValue]:
    path: KeyPath = ("assets", encoder.asset)
    now = _value(document, path)
    own = now == REQUIRED or (encoder.asset == "phonetic" and _is_default(document, path))
    if own and encoder.asset in _section(document, "assets"):
        why = f"the encoder of the voice: {_CHOSEN.get(encoder.chosen_by, 'as its card says')}"
        yield LibraryValue(dotted(path), f"{PREFIX}{encoder.name}", now, voice, why)


def _is_open(document: Document, path: KeyPath, value: Any) -> bool:
    """Whether the document has this value at a path, and no override gave it."""
    section, name = map(str, path)
    known = _section(document, section)
    present = name in known and known[name] == value
    return present and not document.source_map.is_override(path)


def _is_default(document: Document, path: KeyPath) -> bool:
    """Whether a value is there as a pipeline that comes along has it."""
    places = document.source_map
    return (
        path in places.places
        and not places.is_override(path)
        and places.base(path) == shipped_folder()
    )


def _value(document: Document, path: KeyPath) -> Any:
    found: Any = document.data
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _section(document: Document, name: str) -> Mapping[str, Any]:
    found = document.data.get(name)
    return found if isinstance(found, Mapping) else {}
