"""Compresses an index: in another encoding, judged before it gets its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicegraph.graph.comparison import compare
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.index_report import AudioDeviation, IndexCompressed, SearchReport

from . import limits as conditions
from ._measurement import measured
from .accuracy import Truth, exact_neighbours
from .clustering import FEWEST_PER_CENTRE
from .encodings import CODES, Encoding
from .index_writer import CardTexts, Draft, has_card
from .pipeline_features import searched_features, with_index
from .queries import Queries, foreign_vectors, own_vectors
from .recode import group, recode, require_enough
from .source import IndexSource

SOURCE = "source"
"""Name of the given index in tables."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What compressed indexes are judged with.

    Attributes:
        rate: share of the neighbours in the blend.
        sounds: files whose features are searched for; none takes vectors of the index.
        pipeline: whose retrieval gets the features, and whose sound is compared.
        within: conditions, as typed.
    """

    rate: float = 0.5
    sounds: Sequence[Path] = ()
    pipeline: Pipeline | None = None
    within: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """The form of the result.

    Attributes:
        encoding: how vectors are stored.
        probes: lists that a search visits; None keeps the number in the source.
        lists: inverted lists; None keeps those of the source.
    """

    encoding: Encoding
    probes: int | None = None
    lists: int | None = None


def compress(
    source: IndexSource, form: Form, judge: Judge, target: Path, *, seed: int, force: bool
) -> IndexCompressed:
    """Writes an index with the vectors of another one, if all conditions hold.

    Args:
        source: the index.
        form: what it becomes.
        judge: what the result is judged with.
        target: the file.
        seed: of all samples.
        force: replace an existing file.

    Raises:
        PipelineError: if a condition, the encoding or the pipeline is wrong.
        InputError: if a sound cannot be used.
        OutputError: if the file cannot be written.
    """
    limits = conditions.parse(judge.within)
    require_enough(form.encoding, source.count)
    truth = exact_neighbours(source, chosen_queries(source, judge, seed))
    grouping = group(source, form.lists, seed)
    count = len(grouping.centres)
    probes = min(form.probes or source.probes or 1, count)
    before = searches_of_source(source, {source.probes, _as_many(source, probes)}, truth, judge)
    index = recode(source, form.encoding, grouping, probes, seed)
    with Draft(index, target, force) as draft:
        del index  # what was written is measured
        after = measured(str(form.encoding), draft.stored, probes, truth, judge.rate)
        audio = deviation(source, draft.path, probes, judge)
        found = conditions.judge(limits, after, audio)
        verdict = conditions.verdict(found)
        kept = verdict is True or not limits
        if kept:
            draft.keep(texts_of(source))
    return IndexCompressed(
        source=str(source.path),
        target=str(target),
        written=kept,
        vectors=source.count,
        dimension=source.dimension,
        lists=count,
        queries=truth.queries.name,
        rate=judge.rate,
        before=before,
        after=after,
        audio=audio,
        limits=found,
        within=verdict,
        notes=_notes(source, form.encoding, target),
    )


def chosen_queries(source: IndexSource, judge: Judge, seed: int) -> Queries:
    """Features of the sounds, or vectors of the index itself."""
    if not judge.sounds or judge.pipeline is None:
        return own_vectors(source, seed)
    features = searched_features(judge.sounds, with_index(judge.pipeline, source.path, None))
    return foreign_vectors(features, ", ".join(str(path) for path in judge.sounds))


def searches_of_source(
    source: IndexSource, probes: set[int | None], truth: Truth, judge: Judge
) -> list[SearchReport]:
    """Measures the source itself, searched in several numbers of lists."""
    wanted = sorted(probes, key=lambda count: count or 0)
    return [measured(SOURCE, source.stored, count, truth, judge.rate) for count in wanted]


def _as_many(source: IndexSource, probes: int) -> int | None:
    return None if source.lists is None else min(probes, source.lists)


def deviation(source: IndexSource, index: Path, probes: int, judge: Judge) -> AudioDeviation | None:
    """Compares the sound of the pipeline with an exact search, and with the index."""
    if not judge.sounds or judge.pipeline is None:
        return None
    exact = with_index(judge.pipeline, source.path, source.lists)
    found = compare(exact, with_index(judge.pipeline, index, probes), [*judge.sounds]).report
    output = next(port for port in found.together if port.port == "output")
    return AudioDeviation(
        pipeline=judge.pipeline.name,
        files=[file.file for file in found.files],
        snr_db=None if output.identical else output.measures.snr_db,
        lsd_db=0.0 if output.identical else output.measures.lsd_db,
    )


def texts_of(source: IndexSource) -> CardTexts:
    """What the card of the source states."""
    card = source.card
    if card is None:
        return CardTexts(source=source.path.name)
    return CardTexts(card.title, card.licence, card.source or source.path.name, card.trained_on)


def _notes(source: IndexSource, encoding: Encoding, target: Path) -> list[str]:
    notes = []
    if encoding.parts is not None and source.count < CODES * FEWEST_PER_CENTRE:
        wanted = CODES * FEWEST_PER_CENTRE
        notes.append(
            f"{source.count} vectors train {encoding} badly: FAISS asks for {wanted}; "
            "--to sq8 needs none"
        )
    if source.card is not None and source.card.trained_on and not has_card(target):
        better = target.with_suffix(".safetensors")
        notes.append(f"a FAISS file has no card, so that it states no encoder: {better} would")
    return notes
