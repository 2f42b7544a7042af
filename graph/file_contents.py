"""What the files that a plan reads contained when it was compiled: SHA-256, size and version.

Hashes are cached in the process by the version of a file, so that its contents are read once. A
file that changed moments ago is hashed each time, since another change may leave its time the same.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import Problem, WeightsError
from .model_folder import model_folder
from .node_params import NodeParams
from .regular_file import open_regular, shortened

Version = tuple[int, ...]
"""Size, time of the last change in nanoseconds, and further numbers: see :func:`file_version`."""

_FRESH_NS = 2_000_000_000
"""Age below which a file's time is no proof: FAT counts in steps of 2 s."""
_MOST_CACHED = 4096
_THREADS = 4

_cached: OrderedDict[Version, str] = OrderedDict()
_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class FileContent:
    """The contents of a file, or of the files directly in a folder.

    Attributes:
        path: of the file.
        size: in bytes, of all files together.
        sha256: hexadecimal; of a folder, of the names and hashes of its files.
        version: as of :func:`file_version`; of a folder, those of its files.
    """

    path: Path
    size: int
    sha256: str
    version: Version


def file_version(found: os.stat_result) -> Version:
    """Tells versions of a file apart: size, times of the last changes, and which file it is.

    A copy that keeps the time of its source (``cp -p``) sets the first time, but not the second,
    which POSIX systems keep.
    """
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev


def read_content(path: Path) -> FileContent | None:
    """The contents of a file or folder; None if it is missing or cannot be read."""
    try:
        if not path.is_dir():
            return _of_file(path)
        files = [_of_file(entry) for entry in _entries(model_folder(path))]
    except (OSError, ValueError):
        return None
    listed = "\n".join(f"{file.path.name}\0{file.sha256}" for file in files)
    return FileContent(
        path,
        sum(file.size for file in files),
        hashlib.sha256(listed.encode(errors="surrogateescape")).hexdigest(),
        tuple(number for file in files for number in file.version),
    )


def read_contents(named: Mapping[str, Path]) -> dict[str, FileContent]:
    """The contents of files and folders by name; missing ones are left out."""
    paths = list(dict.fromkeys(named.values()))
    if not paths:
        return {}
    with ThreadPoolExecutor(_THREADS) as pool:  # hashing releases the interpreter lock
        found = dict(zip(paths, pool.map(read_content, paths), strict=True))
    return {name: content for name, path in named.items() if (content := found[path])}


def files_read(params: NodeParams) -> dict[str, Path]:
    """Files and folders that a node reads, by param; of several in one param, ``param.key``."""
    return {
        key: path
        for name in sorted(params.file_fields() - params.output_fields())
        for key, path in _paths(name, getattr(params, name))
    }


def files_written(params: NodeParams) -> dict[str, Path]:
    """Files that a node writes, by param; of several in one param, ``param.key``."""
    return {
        key: path
        for name in sorted(params.output_fields())
        for key, path in _paths(name, getattr(params, name))
    }


def require_unchanged(content: FileContent) -> None:
    """Checks that a file is still what it was when the plan was compiled.

    Raises:
        WeightsError: if it is not, or is missing.
    """
    try:
        same = _version(content.path) == content.version
    except OSError:
        same = False
    if same:
        return
    now = read_content(content.path)  # it may have been copied over itself
    if now is None or now.sha256 != content.sha256:
        text = f"{shortened(content.path)} changed after the pipeline was compiled"
        raise WeightsError(Problem("file-changed", text, fix="start again, with the new file"))


def _paths(name: str, value: Any) -> Iterator[tuple[str, Path]]:
    if isinstance(value, Path):
        yield name, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _paths(f"{name}.{key}", entry)
    elif isinstance(value, (list, tuple)):
        for number, entry in enumerate(value):
            yield from _paths(f"{name}.{number}", entry)


def _entries(folder: Path) -> list[Path]:
    return sorted(
        (entry for entry in folder.iterdir() if stat.S_ISREG(entry.stat().st_mode)),
        key=lambda entry: entry.name,
    )


def _version(path: Path) -> Version:
    if not path.is_dir():
        return file_version(path.stat())
    return tuple(
        number for entry in _entries(model_folder(path)) for number in file_version(entry.stat())
    )


def _of_file(path: Path) -> FileContent:
    with open_regular(path) as file:
        version = file_version(os.fstat(file.fileno()))
        with _guard:
            known = _cached.get(version)
        if known is None:
            known = hashlib.file_digest(file, "sha256").hexdigest()
            same = version == file_version(os.fstat(file.fileno()))
            if same and time.time_ns() - version[1] > _FRESH_NS:
                _remember(version, known)
    return FileContent(path, version[0], known, version)


def _remember(version: Version, sha256: str) -> None:
    with _guard:
        _cached[version] = sha256
        while len(_cached) > _MOST_CACHED:
            _cached.popitem(last=False)
