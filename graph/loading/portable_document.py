"""Documents with absolute file names, which mean the same in every folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ..errors import VoicegraphError
from .document import Document
from .library_files import model_path
from .source_map import KeyPath


def with_absolute_names(
    document: Document, files: Collection[Path], value: Any = None, at: KeyPath = ()
) -> Any:
    """The document's data, or another value at a place in it, with absolute names of files.

    Args:
        document: says against which folders relative names resolve.
        files: the absolute paths of the files that are meant; other text stays as it is.
        value: what to rewrite; None takes all of the document.
        at: place of ``value`` in the document.
    """
    known = {str(path) for path in files}

    def walk(value: Any, path: KeyPath) -> Any:
        if isinstance(value, Mapping):
            return {key: walk(entry, (*path, key)) for key, entry in value.items()}
        if isinstance(value, list):
            return [walk(entry, (*path, i)) for i, entry in enumerate(value)]
        if isinstance(value, str) and value:
            whole = _file_named(document, path, value)
            return whole if whole in known else value
        return value

    return walk(document.data if value is None and not at else value, at)


def _file_named(document: Document, path: KeyPath, text: str) -> str | None:
    """The file that a text means; None if it is no name of one, as most texts are none."""
    try:
        return str(model_path(document.source_map, path, text))
    except VoicegraphError:
        return None
