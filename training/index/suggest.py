"""Tries ways to store and search an index, and finds those that no other one beats."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

from voicegraph.schemas.index_report import IndexSuggestions, SearchReport, TriedSearch

from . import limits as conditions
from ._measurement import measured
from .accuracy import exact_neighbours
from .compress import Judge, chosen_queries, searches_of_source
from .encodings import CODES, Encoding
from .index_writer import Draft
from .recode import group, recode
from .source import IndexSource

_TIME_SHARE, _ERROR_SHARE = 1.1, 1.02
"""Times and errors that differ by less are equal: so much do they vary with machine and sample."""


def probe_counts(lists: int, most: int = 64) -> list[int]:
    """1, 2, 4, ... lists that are searched, up to all or ``most``."""
    return [1 << n for n in range(most.bit_length()) if 1 << n <= min(lists, most)]


def suggest(
    source: IndexSource,
    encodings: Sequence[Encoding],
    probes: Sequence[int],
    judge: Judge,
    *,
    lists: int | None,
    seed: int,
) -> IndexSuggestions:
    """Measures all encodings, each searched in several numbers of lists. Nothing is kept.

    Args:
        source: the index.
        encodings: are tried; those that have too few vectors to be trained are left out.
        probes: numbers of lists; none takes powers of two.
        judge: what they are judged with. The sound is not compared.
        lists: inverted lists; None keeps those of the source.
        seed: of all samples.

    Raises:
        PipelineError: if a condition is wrong.
    """
    limits = conditions.parse(judge.within)
    truth = exact_neighbours(source, chosen_queries(source, judge, seed))
    (before,) = searches_of_source(source, {source.probes}, truth, judge)
    grouping = group(source, lists, seed)
    count = len(grouping.centres)
    wanted = sorted({min(each, count) for each in probes}) or probe_counts(count)
    found: list[SearchReport] = []
    with tempfile.TemporaryDirectory(prefix="voicegraph-") as folder:
        for encoding in encodings:
            if encoding.parts is not None and source.count < CODES:
                continue
            index = recode(source, encoding, grouping, 1, seed)
            with Draft(index, Path(folder) / "tried.index", force=True) as draft:
                del index
                found += [
                    measured(str(encoding), draft.stored, each, truth, judge.rate)
                    for each in wanted
                ]
    tried = _judged(found, limits)
    return IndexSuggestions(
        source=str(source.path),
        vectors=source.count,
        dimension=source.dimension,
        lists=count,
        queries=truth.queries.name,
        rate=judge.rate,
        before=before,
        tried=tried,
        limits=[limit.text for limit in limits],
        command=_command(source, tried, lists, judge.within),
    )


def _judged(found: Sequence[SearchReport], limits: Sequence[conditions.Limit]) -> list[TriedSearch]:
    ordered = sorted(found, key=lambda each: (each.size_bytes, each.probes or 0))
    return [
        TriedSearch(
            **each.model_dump(),
            frontier=not any(beats(other, each) for other in found),
            within=conditions.verdict(conditions.judge(limits, each, None)),
        )
        for each in ordered
    ]


def beats(one: SearchReport, other: SearchReport) -> bool:
    """Whether one is no worse in size, error and time, and better in one of them."""
    return not any(_worse(one, other)) and any(_worse(other, one))


def _worse(one: SearchReport, other: SearchReport) -> tuple[bool, bool, bool]:
    """Whether one is larger, farther and slower."""
    return (
        one.size_bytes > other.size_bytes,
        one.blend > other.blend * _ERROR_SHARE,
        one.search_ms > other.search_ms * _TIME_SHARE,
    )


def _command(
    source: IndexSource, tried: Sequence[TriedSearch], lists: int | None, within: Sequence[str]
) -> str | None:
    """What writes the smallest one that fulfils the conditions; of equal ones the fastest."""
    fit = [each for each in tried if each.within]
    if not fit:
        return None
    best = min(fit, key=lambda each: (each.size_bytes, each.search_ms))
    target = source.path.with_name(f"{source.path.stem}_{best.type.replace(':', '')}.index")
    words = ["voicegraph index compress", shlex.quote(str(source.path)), shlex.quote(str(target))]
    words += [f"--to {best.type} --nprobe {best.probes}"]
    words += [f"--lists {lists}"] if lists else []
    return " ".join([*words, *(f"--within {shlex.quote(text)}" for text in within)])
