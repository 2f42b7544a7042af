"""Reports about model files, for ``inspect`` and ``convert``."""

from __future__ import annotations

from collections import Counter

from voicegraph.schemas.model_report import ModelFile

from ...terminal_text import printable
from ._archive import Archive
from .identify import Identified

UNKNOWN = "a file of tensors, but of unknown kind"


def describe(found: Identified) -> ModelFile:
    """The report about one file, from what is already read."""
    archive, kind = found.archive, found.kind
    return ModelFile(
        path=str(found.path),
        kind=kind.name if kind else None,
        description=_description(found),
        card=found.card.model_dump(mode="json") if found.card else None,
        unstated=found.card.unstated if found.card else {},
        form=archive.form if archive else None,
        size_bytes=archive.size if archive else found.path.stat().st_size,
        tensors=len(archive.tensors) if archive else None,
        values=_values(archive) if archive else {},
        parts=_parts(archive) if archive else {},
    )


def _description(found: Identified) -> str:
    if found.kind is None:
        export = found.archive.export if found.archive else None
        return (
            UNKNOWN if export is None else f"the exported network of {printable(export.use)[:80]}"
        )
    headline = found.card.headline if found.card else ""
    return f"{found.kind.noun}: {headline}" if headline else found.kind.noun


def _values(archive: Archive) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for header in archive.tensors.values():
        counts[str(header.dtype).removeprefix("torch.")] += header.numel
    return dict(counts.most_common())


def _parts(archive: Archive) -> dict[str, int]:
    return dict(Counter(printable(name.partition(".")[0]) for name in archive.tensors))
