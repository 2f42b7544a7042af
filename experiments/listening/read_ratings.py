"""Reads ratings back into a run: the metrics ``listeners.*``.

Listeners are a second random unit beside speakers. What a run shows of it is in
``added/listeners-KIND.json``; every rating stays in ``listening/KIND-ratings.csv`` of the run.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.atomic_write import write_text
from voicegraph.schemas.experiment_manifest import (
    AddedMeasures,
    CellFacts,
    Manifest,
    MetricFacts,
)
from voicegraph.schemas.experiment_tables import TestRow, ValueRow

from ..statistics.correction import corrected
from ._crossed import FEWEST_LISTENERS, FEWEST_SPEAKERS, CrossedMean, crossed_mean
from ._ratings import Rating, read_csv_files
from ._screening import excluded_listeners
from .listening_test import ListeningTest, read_key

METRICS: Mapping[str, MetricFacts] = {
    "mushra": MetricFacts(
        name="listeners.mushra",
        title="MUSHRA score",
        better="higher",
        digits=1,
        text="ratings of listeners from 0 to 100 against a reference, with hidden reference and "
        "anchor",
        citation="ITU-R BS.1534-3, Method for the subjective assessment of intermediate quality "
        "level of audio systems (2015).",
    ),
    "mos": MetricFacts(
        name="listeners.mos",
        title="mean opinion score",
        better="higher",
        digits=2,
        text="ratings of listeners from 1 (bad) to 5 (excellent)",
        citation="ITU-T P.800, Methods for subjective determination of transmission quality "
        "(1996).",
    ),
    "ab": MetricFacts(
        name="listeners.preferred",
        title="preferred by listeners",
        better="higher",
        digits=2,
        text="share of pairs in which listeners preferred the system; no preference counts half",
    ),
    "abx": MetricFacts(
        name="listeners.told_apart",
        title="told apart by listeners",
        better="lower",
        digits=2,
        text="share of trials in which listeners found the reference; chance is .5",
        citation="Munson and Gardner, Standardizing auditory tests, J. Acoust. Soc. Am. 22 (1950).",
    ),
}


@dataclass(frozen=True, slots=True)
class ReadRatings:
    """What was read.

    Attributes:
        path: where the run has it.
        measures: what the run shows.
        listeners: whose answers count.
        excluded: listener -> why the answers do not count.
        ratings: number of answers that count.
    """

    path: Path
    measures: AddedMeasures
    listeners: Sequence[str]
    excluded: Mapping[str, str]
    ratings: int


def read_ratings(
    run_folder: Path, manifest: Manifest, key: Path, files: Sequence[Path]
) -> ReadRatings:
    """Reads ratings, screens listeners, tests, and adds the result to the run.

    Args:
        run_folder: of the run; what it had of this kind of test is replaced.
        manifest: of the run.
        key: ``key.csv`` of the test.
        files: the ratings, CSV as webMUSHRA writes it.

    Raises:
        InputError: if the files are not ratings of this test, or no listener is left.
        OutputError: if the run's folder cannot be written.
    """
    test = read_key(key)
    _require_cells(test, manifest, key)
    ratings = read_csv_files(test, files)
    excluded = excluded_listeners(test.kind, ratings)
    kept = [rating for rating in ratings if rating.listener not in excluded]
    if not kept:
        notes = tuple((f"{who} {why}", None) for who, why in excluded.items())
        raise InputError(Problem("no-listener", "post-screening leaves no listener", notes=notes))
    listeners = sorted({rating.listener for rating in kept})
    metric = METRICS[test.kind]
    measures = AddedMeasures(
        name=f"listeners-{test.kind}",
        about=f"{len(listeners)} listeners, test {test.id}"
        + (f"; {len(excluded)} left out by post-screening" if excluded else ""),
        metrics=(metric,),
        values=tuple(_values(test, metric.name, kept)),
        tests=tuple(_tests(test, manifest, metric, kept)),
    )
    path = run_folder / "added" / f"{measures.name}.json"
    _write_ratings(run_folder / "listening" / f"{test.kind}-ratings.csv", ratings, excluded)
    write_text(path, measures.model_dump_json(indent=1) + "\n", force=True)
    return ReadRatings(path, measures, listeners, excluded, len(kept))


def _require_cells(test: ListeningTest, manifest: Manifest, key: Path) -> None:
    """Whether the test was drawn from this experiment."""
    known = {cell.name for cell in manifest.cells}
    strange = sorted({s.cell for s in test.stimuli if s.cell} - known)
    if strange:
        text = f"{key} belongs to another experiment: this run has no cell {strange[0]!r}"
        raise InputError(Problem("wrong-key", text, fix="name the run that the test was made of"))


def _values(test: ListeningTest, metric: str, ratings: Sequence[Rating]) -> Iterator[ValueRow]:
    """Means over listeners: a value for each clip of each cell."""
    scores: dict[tuple[str, str, str, int], list[float]] = defaultdict(list)
    for rating in ratings:
        s = rating.stimulus
        if s.role == "system":
            scores[s.cell, s.clip, s.speaker, s.seed].append(rating.score)
        if test.kind == "ab":
            for base in _baseline(test, rating):
                scores[base, s.clip, s.speaker, s.seed].append(1 - rating.score)
    for (cell, clip, speaker, seed), found in scores.items():
        yield ValueRow(
            cell=cell,
            clip=clip,
            speaker=speaker,
            seed=seed,
            metric=metric,
            value=float(np.mean(found)),
        )


def _baseline(test: ListeningTest, rating: Rating) -> Iterator[str]:
    """The cell that the rated one was heard against."""
    for stimulus in test.trials()[rating.stimulus.trial]:
        if stimulus.role == "baseline":
            yield stimulus.cell


@dataclass(frozen=True, slots=True)
class _Question:
    """A pair of cells to be tested."""

    vary: str
    level: str
    baseline: str
    within: str
    cell: CellFacts
    base: CellFacts


def _tests(
    test: ListeningTest, manifest: Manifest, metric: MetricFacts, ratings: Sequence[Rating]
) -> Iterator[TestRow]:
    """All pairs that were heard, one family."""
    table = _Table.of(test, ratings)
    asked = [q for q in _questions(test, manifest) if table.has(q)]
    found = [table.test(question) for question in asked]
    corrections = corrected([mean.p for _, _, mean in found], "holm")
    for question, (ours, theirs, mean), p in zip(asked, found, corrections, strict=True):
        yield _row(question, metric, ours, theirs, mean, p)


def _questions(test: ListeningTest, manifest: Manifest) -> Sequence[_Question]:
    """Pairs of rated cells that differ in one factor that the experiment compares."""
    rated = {s.cell for s in test.stimuli if s.cell}
    cells = [cell for cell in manifest.cells if cell.name in rated]
    found = []
    for contrast in manifest.contrasts:
        for base in cells:
            if base.levels.get(contrast.vary) != contrast.baseline:
                continue
            rest = {**base.levels, contrast.vary: ""}
            for cell in cells:
                same = {**cell.levels, contrast.vary: ""} == rest and cell.target == base.target
                if cell is not base and same:
                    within = ", ".join(f"{k}={v}" for k, v in rest.items() if v)
                    level = cell.levels[contrast.vary]
                    found.append(
                        _Question(contrast.vary, level, contrast.baseline, within, cell, base)
                    )
    if found or not cells:
        return found
    base, *others = cells
    return [_Question("cell", cell.name, base.name, "", cell, base) for cell in others]


@dataclass(frozen=True, slots=True)
class _Table:
    """Scores by cell, listener, speaker and clip."""

    kind: str
    scores: Mapping[str, Mapping[tuple[str, str, str], float]]
    against: Mapping[tuple[str, str], Mapping[tuple[str, str, str], float]]
    """Of pairs: (cell, baseline) -> the same."""

    @classmethod
    def of(cls, test: ListeningTest, ratings: Sequence[Rating]) -> _Table:
        scores: dict[str, dict[tuple[str, str, str], float]] = defaultdict(dict)
        against: dict[tuple[str, str], dict[tuple[str, str, str], float]] = defaultdict(dict)
        for rating in ratings:
            s = rating.stimulus
            place = rating.listener, s.speaker, s.clip
            if s.role == "system":
                scores[s.cell][place] = rating.score
                for base in _baseline(test, rating):
                    against[s.cell, base][place] = rating.score
        return cls(test.kind, scores, against)

    def has(self, question: _Question) -> bool:
        """Whether anybody heard both."""
        return bool(self._differences(question)[2])

    def test(self, question: _Question) -> tuple[float, float, CrossedMean]:
        """Means of both sides, and the mean difference with its test."""
        ours, theirs, differences = self._differences(question)
        gathered: dict[tuple[str, str], list[float]] = defaultdict(list)
        for (listener, speaker, _), value in differences.items():
            gathered[listener, speaker].append(value)
        listeners = sorted({who for who, _ in gathered})
        speakers = sorted({who for _, who in gathered})
        matrix = np.full((len(listeners), len(speakers)), np.nan)
        for (listener, speaker), found in gathered.items():
            matrix[listeners.index(listener), speakers.index(speaker)] = np.mean(found)
        return ours, theirs, crossed_mean(matrix)

    def _differences(
        self, question: _Question
    ) -> tuple[float, float, Mapping[tuple[str, str, str], float]]:
        if self.kind in ("ab", "abx"):
            found = self.against.get((question.cell.name, question.base.name), {})
            if not found:
                return 0.0, 0.0, {}
            share = float(np.mean([*found.values()]))
            if self.kind == "abx":
                return share, 0.5, {place: score - 0.5 for place, score in found.items()}
            return share, 1 - share, {place: 2 * score - 1 for place, score in found.items()}
        ours = self.scores.get(question.cell.name, {})
        theirs = self.scores.get(question.base.name, {})
        both = [place for place in ours if place in theirs]
        if not both:
            return 0.0, 0.0, {}
        differences = {place: ours[place] - theirs[place] for place in both}
        mean = [float(np.mean([side[place] for place in both])) for side in (ours, theirs)]
        return mean[0], mean[1], differences


def _row(
    question: _Question,
    metric: MetricFacts,
    ours: float,
    theirs: float,
    mean: CrossedMean,
    p: float | None,
) -> TestRow:
    who = f"{mean.listeners} listeners and {mean.speakers} speakers"
    if mean.p is None:
        why = f"{who}; a test needs {FEWEST_LISTENERS} and {FEWEST_SPEAKERS}"
    else:
        why = f"{who}, both as samples"
    return TestRow(
        vary=question.vary,
        level=question.level,
        baseline=question.baseline,
        within=question.within,
        metric=metric.name,
        n=mean.speakers,
        mean=ours,
        mean_baseline=theirs,
        difference=mean.mean,
        low=mean.low,
        high=mean.high,
        p=mean.p,
        p_corrected=p,
        d_z=None,
        superiority=None,
        verdict=_verdict(metric, mean, p),
        why=why,
    )


def _verdict(metric: MetricFacts, mean: CrossedMean, p: float | None) -> str:
    if p is None:
        return "not tested"
    if p >= 0.05:
        return "no difference shown"
    better = (mean.mean > 0) == (metric.better == "higher")
    return "better" if better else "worse"


def _write_ratings(path: Path, ratings: Sequence[Rating], excluded: Mapping[str, str]) -> None:
    """Every rating with what it was of, so that others can analyse it in another way."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        ("listener", "trial", "role", "cell", "clip", "speaker", "seed", "score", "left_out")
    )
    for rating in ratings:
        s = rating.stimulus
        place = (s.trial, s.role, s.cell, s.clip, s.speaker, s.seed)
        why = excluded.get(rating.listener, "")
        writer.writerow((rating.listener, *place, f"{rating.score:g}", why))
    write_text(path, text.getvalue(), force=True)
