"""Statistics of an index, and how near its search is for several numbers of lists."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicegraph.schemas.index_report import IndexInspection, SearchReport

from ._measurement import measured
from .accuracy import exact_neighbours
from .clustering import list_count
from .compress import SOURCE, Judge, chosen_queries
from .make import first_of_each
from .source import IndexSource
from .suggest import probe_counts

_NEAR_ENOUGH = 0.02
"""Error of the blend below which more lists bring nothing that is heard."""


def inspect_index(source: IndexSource, judge: Judge, seed: int) -> IndexInspection:
    """Reads all vectors of an index once, and searches it.

    Args:
        source: the index.
        judge: what the searches are judged with.
        seed: of the sample that is searched for.

    Raises:
        PipelineError: if the pipeline is wrong.
        InputError: if a sound cannot be used.
    """
    truth = exact_neighbours(source, chosen_queries(source, judge, seed))
    counts: list[int | None] = [None]
    if source.lists is not None:
        counts = [*sorted({*probe_counts(source.lists), source.probes or 1})]
    searches = [measured(SOURCE, source.stored, count, truth, judge.rate) for count in counts]
    lengths, duplicates = _vector_statistics(source)
    sizes = source.list_sizes()
    overhead = 0 if source.lists is None else source.lists * source.dimension * 4
    return IndexInspection(
        path=str(source.path),
        type=source.type,
        vectors=source.count,
        dimension=source.dimension,
        size_bytes=source.size,
        vector_bytes=(source.size - overhead) / source.count,
        lists=source.lists,
        probes=source.probes,
        list_sizes=_size_statistics(sizes) if len(sizes) else None,
        duplicates=duplicates,
        norm={"mean": float(lengths.mean()), "std": float(lengths.std())},
        trained_on=source.card.trained_on if source.card else None,
        queries=truth.queries.name,
        rate=judge.rate,
        searches=searches,
        notes=_notes(source, searches),
    )


def _vector_statistics(source: IndexSource) -> tuple[np.ndarray, int]:
    """Lengths of all vectors, and how many are equal to an earlier one."""
    lengths, duplicates = [], 0
    seen: set[bytes] = set()
    for chunk in source.chunks():
        lengths.append(np.linalg.norm(chunk.vectors, axis=1))
        first = first_of_each(chunk.vectors, np.ones(len(chunk.ids), bool), seen)
        duplicates += int((~first).sum())
    return np.concatenate(lengths), duplicates


def _size_statistics(sizes: np.ndarray) -> dict[str, float]:
    total = sizes.sum()
    return {
        "least": float(sizes.min()),
        "median": float(np.median(sizes)),
        "most": float(sizes.max()),
        "empty": float((sizes == 0).sum()),
        "imbalance": float(len(sizes) * np.square(sizes / total).sum()),
    }


def _notes(source: IndexSource, searches: Sequence[SearchReport]) -> list[str]:
    notes = []
    own = next((each for each in searches if each.probes == source.probes), searches[0])
    if own.blend > _NEAR_ENOUGH:
        better = next((each for each in searches if each.blend <= _NEAR_ENOUGH), None)
        if better is not None:
            notes.append(
                f"searching {better.probes} lists instead of {own.probes} takes the error of the "
                f"blend from {own.blend:.3f} to {better.blend:.3f}: "
                f"--set vars.index_probes={better.probes}"
            )
    if source.lists and source.lists > list_count(source.count):
        notes.append(
            f"{source.lists} lists are many for {source.count} vectors: index compress --lists N"
        )
    return notes
