"""Files that works read: where they lie on this machine, and whether they are still the same.

A work names files by absolute path and SHA-256. A file of the package is named relative to it, so
that it is found on a machine where voicegraph is installed elsewhere.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.file_contents import read_content
from voicegraph.graph.regular_file import shortened

FileHash = tuple[str, str]
"""Name of a file, as :func:`travelling` gives it, and the SHA-256 of its contents."""

_PACKAGE = "$voicegraph/"


@cache
def package_folder() -> Path:
    """The folder of the installed package."""
    return Path(str(importlib.resources.files("voicegraph"))).resolve()


def travelling(path: Path) -> str:
    """The name of a file in a work: absolute, or relative to the package."""
    folder = package_folder()
    if path.is_relative_to(folder):
        return _PACKAGE + path.relative_to(folder).as_posix()
    whole = path.resolve()
    if whole.is_relative_to(folder):
        return _PACKAGE + whole.relative_to(folder).as_posix()
    return str(path)


def here(name: str) -> Path:
    """The file of a work on this machine."""
    if name.startswith(_PACKAGE):
        return package_folder() / name.removeprefix(_PACKAGE)
    return Path(name)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Plain data with other texts in place of those that are keys of ``names``."""
    if isinstance(value, Mapping):
        return {key: renamed(entry, names) for key, entry in value.items()}
    if isinstance(value, list):
        return [renamed(entry, names) for entry in value]
    return names.get(value, value) if isinstance(value, str) else value


def renamed_json(text: str, names: Mapping[str, str]) -> str:
    """As :func:`renamed`, of data as JSON."""
    return json.dumps(renamed(json.loads(text), names))


def outside_package(files: Iterable[FileHash]) -> dict[Path, str]:
    """The files that another machine may lack, with their SHA-256."""
    return {Path(name): sha256 for name, sha256 in files if not name.startswith(_PACKAGE)}


def moved(files: Iterable[FileHash], places: Mapping[Path, Path]) -> dict[str, str]:
    """New names of files by their old names."""
    named = {str(path): str(place) for path, place in places.items()}
    return {name: named[name] for name, _ in files if name in named}


def hashed(paths: Iterable[Path]) -> tuple[FileHash, ...]:
    """Files by absolute names with their SHA-256, each once, in order of their names.

    Raises:
        InputError: if one is missing or cannot be read.
    """
    found: dict[str, str] = {}
    for path in paths:
        content = read_content(path)
        if content is None:
            text = f"{shortened(path)} is missing, or cannot be read"
            raise InputError(Problem("no-such-file", text))
        found[str(path)] = content.sha256
    return tuple(sorted(found.items()))


def require_same(files: Iterable[FileHash]) -> None:
    """Checks that files have the contents for which a task was made.

    Raises:
        InputError: ``file-changed`` if one has others, or is missing.
    """
    for name, sha256 in files:
        content = read_content(here(name))
        if content is None or content.sha256 != sha256:
            why = "is missing" if content is None else "changed"
            text = f"{shortened(here(name))} {why} since this run began"
            raise InputError(Problem("file-changed", text, fix="run the same command again"))
