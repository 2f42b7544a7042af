"""The files that a pipeline reads, and fingerprints to recognise them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from voicegraph.schemas.recording import RecordedFile

from ...loading.document import Document
from ...pipeline import Plan
from ...regular_file import open_regular

_PART = 1 << 20
"""Bytes hashed at the start, the middle and the end; hashing whole files would take seconds."""


def files_of(plan: Plan) -> dict[str, Path]:
    """Files and folders that nodes read, by ``node.param``."""
    found = {}
    for planned in plan.nodes:
        written = set(planned.node.keeps(planned.params).values())
        for name in sorted(planned.params.file_fields()):
            path = getattr(planned.params, name)
            if path is not None and path not in written:
                found[f"{planned.name}.{name}"] = Path(path)
    return found


def describe_files(plan: Plan) -> list[RecordedFile]:
    """Size and fingerprint of each of these files; missing files are left out."""
    paths = dict.fromkeys(files_of(plan).values())
    return [describe_file(path) for path in paths if path.exists()]


def describe_file(path: Path) -> RecordedFile:
    """Size and fingerprint of a file, or of all files in a folder."""
    parts = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    digest = hashlib.blake2b(digest_size=16)
    size = 0
    for part in parts:
        size += _add(digest, part)
    return RecordedFile(path=path, bytes=size, fingerprint=digest.hexdigest())


def _add(digest: Any, path: Path) -> int:
    size = path.stat().st_size
    digest.update(size.to_bytes(8, "little"))
    with open_regular(path) as file:
        for start in sorted({0, max(0, size // 2 - _PART // 2), max(0, size - _PART)}):
            file.seek(start)
            digest.update(file.read(_PART))
    return size


def portable(document: Document, plan: Plan) -> Any:
    """The document's data with absolute names of all files that the plan reads."""
    known = {str(path) for path in files_of(plan).values()}

    def walk(value: Any, path: tuple[Any, ...]) -> Any:
        if isinstance(value, Mapping):
            return {key: walk(entry, (*path, key)) for key, entry in value.items()}
        if isinstance(value, list):
            return [walk(entry, (*path, i)) for i, entry in enumerate(value)]
        if isinstance(value, str) and value:
            whole = str(document.source_map.resolve(path, value))
            return whole if whole in known else value
        return value

    return walk(document.data, ())


def entries_naming(data: Any, path: Path) -> Iterator[str]:
    """Dotted paths of the document's entries that name a file."""

    def walk(value: Any, at: tuple[str, ...]) -> Iterator[str]:
        if isinstance(value, Mapping):
            for key, entry in value.items():
                yield from walk(entry, (*at, str(key)))
        elif value == str(path):
            yield ".".join(at)

    yield from walk(data, ())
