"""The files that a pipeline reads, and fingerprints to recognise them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from voicegraph.schemas.recording import RecordedFile

from ...file_contents import FileContent, read_content
from ...loading.document import Document
from ...loading.portable_document import with_absolute_names
from ...model_folder import model_folder
from ...pipeline import Pipeline, Plan
from ...plan import PlanOrigin
from ...regular_file import open_regular

_PART = 1 << 20
"""Bytes that older fingerprints take at the start, the middle and the end."""
_SHA256 = "sha256:"


def describe_files(plan: Plan) -> list[RecordedFile]:
    """Size and SHA-256 of each file that a plan reads, as of when it was compiled."""
    contents = {content.path: content for content in plan.files.values()}
    return [describe_file(content) for content in contents.values()]


def describe_file(content: FileContent) -> RecordedFile:
    """A file as a recording names it."""
    return RecordedFile(
        path=content.path, bytes=content.size, fingerprint=f"{_SHA256}{content.sha256}"
    )


def is_same(file: RecordedFile, path: Path) -> bool:
    """Whether a file or folder has the contents of a recorded one."""
    found = read_content(path)
    if found is None or found.size != file.bytes:
        return False
    if file.fingerprint.startswith(_SHA256):
        return file.fingerprint == f"{_SHA256}{found.sha256}"
    return file.fingerprint == older_fingerprint(path)


def file_size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    parts = model_folder(path).iterdir() if path.is_dir() else [path]
    return sum(part.stat().st_size for part in parts if part.is_file())


def older_fingerprint(path: Path) -> str:
    """As recordings of versions before SHA-256 have it: of beginning, middle and end."""
    parts = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        size = part.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with open_regular(part) as file:
            for start in sorted({0, max(0, size // 2 - _PART // 2), max(0, size - _PART)}):
                file.seek(start)
                digest.update(file.read(_PART))
    return digest.hexdigest()


def portable(document: Document, plan: Plan) -> Any:
    """The document's data with absolute names of all files that the plan reads."""
    return with_absolute_names(document, _files(plan))


def portable_overrides(
    overrides: Mapping[str, Any], document: Document, plan: Plan
) -> dict[str, Any]:
    """Overrides by dotted path, with absolute names of all files that the plan reads.

    Args:
        overrides: as they were given.
        document: the pipeline in which they are applied.
        plan: that of the pipeline.
    """
    return {
        path: with_absolute_names(document, _files(plan), value, tuple(path.split(".")))
        for path, value in overrides.items()
    }


def library_overrides(base: PlanOrigin | None, plan: Plan) -> dict[str, Any]:
    """Overrides of a pipeline's complete document that do what another voice's card did.

    What the card of the voice before it gave is set back, and what its own card gives is set.

    Args:
        base: the pipeline whose complete document is recorded.
        plan: that of the pipeline with the other voice.
    """
    if not isinstance(base, Pipeline) or base.loaded.document is None:
        return {}
    before = {one.path: one.instead for one in base.loaded.taken}
    after = {one.path: one.value for one in plan.taken}
    changed = {path: after.get(path, value) for path, value in before.items()} | after
    return {path: value for path, value in changed.items() if path != "vars.voice"}


def _files(plan: Plan) -> set[Path]:
    return {path for planned in plan.nodes for path in planned.files.values()}


def entries_naming(data: Any, path: Path) -> Iterator[str]:
    """Dotted paths of the document's entries that name a file."""

    def walk(value: Any, at: tuple[str, ...]) -> Iterator[str]:
        if isinstance(value, Mapping):
            for key, entry in value.items():
                yield from walk(entry, (*at, str(key)))
        elif value == str(path):
            yield ".".join(at)

    yield from walk(data, ())
