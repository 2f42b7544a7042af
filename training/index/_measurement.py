"""Measures one way to search an index."""

from __future__ import annotations

from voicegraph.graph.files.faiss_files.index_bytes import IndexBytes
from voicegraph.nodes.retrieval.index_search import StoredIndex
from voicegraph.schemas.index_report import SearchReport

from .accuracy import Truth, accuracy, search_ms


def measured(
    name: str, stored: IndexBytes, probes: int | None, truth: Truth, rate: float
) -> SearchReport:
    """Searches an index as ``retrieval.faiss`` does.

    Args:
        name: of the type.
        stored: the index.
        probes: lists that are searched; None without lists.
        truth: what an exact search finds.
        rate: share of the neighbours in the blend.
    """
    index = StoredIndex(stored, probes)
    found = accuracy(index, truth, rate)
    return SearchReport(
        type=name,
        probes=probes,
        size_bytes=stored.data.size,
        recall=found.recall,
        mean=found.mean,
        blend=found.blend,
        cosine=found.cosine,
        search_ms=search_ms(index, truth.queries),
    )
