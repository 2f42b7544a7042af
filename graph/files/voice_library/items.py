"""Entries as reports: what ``voice list``, ``voice show`` and the page say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicegraph.schemas.report import ProblemReport
from voicegraph.schemas.voice_library import (
    LibraryCard,
    LibraryItem,
    LibraryReport,
    UnreadableItem,
)

from ...errors import Problem
from .library import LibraryEntry, entries, unreadable
from .location import library_folder
from .needs import needs_of

PIPELINES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("source_filter", "safetensors"): ("default-live", "default"),
    ("rvc", "safetensors"): ("rvc-live", "rvc", "rvc-file"),
    ("rvc", "onnx"): ("rvc", "rvc-file"),
}
"""Bundled pipelines that can speak with a voice, by kind and form, the best for live use first.
ONNX files compute windows, which ``rvc-live`` does not take."""


def pipelines_of(card: LibraryCard) -> tuple[str, ...]:
    """Bundled pipelines that can speak with a voice; empty for models."""
    return PIPELINES.get((card.kind, card.form), ())


def settings_of(entry: LibraryEntry, library: Mapping[str, LibraryEntry]) -> dict[str, Any]:
    """Settings that fit a voice, by dotted path of a pipeline.

    Those of its card; and for ONNX files the nodes that run them.
    """
    found = entry.card.settings.overrides()
    if entry.card.kind == "rvc" and entry.card.form == "onnx":
        found["nodes.voice.use"] = "synth.onnx"
        if entry.card.pitch is not None:  # whose file cannot state it
            found["vars.register"] = entry.card.pitch.median_hz
    encoder = entry.card.encoder
    chosen = library.get(encoder.name or "") if encoder is not None else None
    if chosen is not None and chosen.card.form == "onnx":
        found["nodes.content.use"] = "content.onnx"
    return found


def item_of(entry: LibraryEntry, library: Mapping[str, LibraryEntry]) -> LibraryItem:
    """An entry as a report.

    Args:
        entry: of the library.
        library: everything in it, as ``entries`` gives it.
    """
    encoder = entry.card.encoder
    chosen = library.get(encoder.name or "") if encoder is not None else None
    return LibraryItem(
        name=entry.name,
        bundled=entry.bundled,
        card=entry.card,
        model=str(entry.model_file),
        index=None if entry.index_file is None else str(entry.index_file),
        encoder=None if chosen is None else str(chosen.model_file),
        picture=None if entry.picture_file is None else str(entry.picture_file),
        needs=[problem_report(problem) for problem in needs_of(entry, library)],
        pipelines=list(pipelines_of(entry.card)),
        settings=settings_of(entry, library),
    )


def library_report() -> LibraryReport:
    """Everything in the library."""
    library = entries()
    items = [item_of(entry, library) for entry in library.values()]
    return LibraryReport(
        folder=str(library_folder()),
        voices=[item for item in items if item.card.is_voice],
        models=[item for item in items if not item.card.is_voice],
        unreadable=[
            UnreadableItem(name=one.name, problem=problem_report(one.problem))
            for one in unreadable()
        ],
    )


def problem_report(problem: Problem) -> ProblemReport:
    """A problem as a report."""
    return ProblemReport.model_validate(problem.as_dict())
