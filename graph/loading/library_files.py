"""Names of the library of voices in the place of files.

A text without folder and ending, such as ``alice``, names a voice, encoder or pitch model of the
library where a pipeline file or an override expects a file. Under a key called ``index`` it means
the index of that voice. A file of the same name is a clash, which is an error: ``./alice`` is the
file, and ``library:alice`` the voice.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import Mark, PipelineError, Problem
from ..files.voice_library import (
    PREFIX,
    LibraryEntry,
    entries,
    find,
    known_names,
    near,
    plain_name,
    require,
)
from .source_map import KeyPath, SourceMap, dotted
from .values import assignment

INDEX = "index"
"""The key under which the name of a voice means its index."""


def library_entry(source_map: SourceMap, at: KeyPath, text: str) -> LibraryEntry | None:
    """The entry of the library that a text means; None if it means a file.

    Args:
        source_map: of the document.
        at: where the text is in it.
        text: a file name, or a name in the library.

    Raises:
        PipelineError: if there are both a file and an entry of that name.
        InputError: if ``library:NAME`` names nothing, or a card cannot be read.
    """
    if text.startswith(PREFIX):
        return require(text)
    if plain_name(text) is None or (entry := find(text)) is None:
        return None
    path = source_map.resolve(at, text)
    if os.path.lexists(path):
        raise PipelineError(_clash(source_map, at, entry, path))
    return entry


def model_path(source_map: SourceMap, at: KeyPath, text: str) -> Path:
    """The absolute path of the file that a text names: by path, or by a name of the library.

    Args:
        source_map: of the document.
        at: where the text is in it.
        text: a file name, or a name in the library.

    Raises:
        PipelineError: if there are both a file and an entry of that name, or the index is asked of
            a voice that has none.
        InputError: as :func:`library_entry`.
    """
    entry = library_entry(source_map, at, text)
    if entry is None:
        return source_map.resolve(at, text)
    if not at or at[-1] != INDEX:
        return entry.model_file
    if entry.index_file is not None:
        return entry.index_file
    if entry.card.kind != "source_filter":  # whose file holds its index, too
        raise PipelineError(_without_index(source_map, at, entry))
    return entry.model_file


def meant_names(source_map: SourceMap, at: KeyPath, text: str) -> Problem | None:
    """What a bare word may have meant that is neither a file nor in the library.

    Returns:
        A problem with the nearest names, and what to type; None if the text is no bare word.
    """
    if plain_name(text) is None or find(text) is not None:
        return None
    known = known_names()
    close = near(text, known)
    listed = ", ".join([*close, *(name for name in known if name not in close)])
    message = f"the library has no voice {text!r} either; it has: {listed}"
    fix = _assigned(source_map, at, close[0]) if close else "voicegraph voice list"
    return Problem("unknown-voice", message, source_map.value(at), fix=fix)


def named_models(asset: str) -> list[str]:
    """The encoders or pitch models of the library that an asset can be given, by name."""
    kinds = {"hubert": "content_encoder", "phonetic": "phonetic_encoder", "rmvpe": "pitch_model"}
    return [name for name, entry in entries().items() if entry.card.kind == kinds.get(asset)]


def _assigned(source_map: SourceMap, at: KeyPath, value: str) -> str:
    """What to type to give another value: to the var, if it came through one."""
    var = source_map.var(at)
    return assignment(dotted(("vars", var) if var else at), value, _mark(source_map, at))


def _mark(source_map: SourceMap, at: KeyPath) -> Mark:
    return source_map.origin(at) or source_map.value(at)


def _clash(source_map: SourceMap, at: KeyPath, entry: LibraryEntry, path: Path) -> Problem:
    beside = path.parent == source_map.base(at)
    file = f"./{path.name}" if beside else str(path)
    voice = _assigned(source_map, at, f"{PREFIX}{entry.name}")
    text = (
        f"{entry.name} is {entry.card.title!r} of the library, and there is "
        f"{'a folder' if path.is_dir() else 'a file'} of that name: {path}"
    )
    fix = f"{voice}\nor {_assigned(source_map, at, file)}"
    return Problem("name-clash", text, _mark(source_map, at), fix=fix)


def _without_index(source_map: SourceMap, at: KeyPath, entry: LibraryEntry) -> Problem:
    text = f"{entry.name} of the library has no index"
    if not entry.card.is_voice:
        text = f"{entry.name} of the library is no voice, and has no index"
    return Problem("no-index", text, _mark(source_map, at), fix=_assigned(source_map, at, "null"))
