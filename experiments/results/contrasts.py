"""Tests of a run: each level of a factor against its baseline, one family an entry of `compare`.

They are made of rows and facts of the manifest, so a finished run can be tested anew.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from voicegraph.schemas.experiment_tables import Better, CostRow, TestRow, ValueRow

from ..statistics.paired import Comparison, Pairs, compare_family
from ..statistics.speakers import Unit, speaker_pairs
from ._cost_contrasts import NO_BASELINE, PLAN_METRICS, Costs

TARGET = "target"
"""Stands for the target in ``vary`` and ``within``, unless a factor has this name."""


class CellLike(Protocol):
    """A cell, as compiled or as in the manifest."""

    @property
    def name(self) -> str:
        """Unique."""
        ...

    @property
    def levels(self) -> Mapping[str, str]:
        """Factor -> level."""
        ...

    @property
    def target(self) -> str | None:
        """Name of the target."""
        ...

    @property
    def plan(self) -> str | None:
        """Key of the plan."""
        ...

    @property
    def excluded(self) -> str | None:
        """Why it does not run."""
        ...


class ContrastLike(Protocol):
    """An entry of ``compare``, as compiled or as in the manifest."""

    @property
    def vary(self) -> str:
        """The factor."""
        ...

    @property
    def baseline(self) -> str:
        """Its level that others are compared with."""
        ...

    @property
    def within(self) -> tuple[str, ...]:
        """Factors that are held."""
        ...

    @property
    def metrics(self) -> Mapping[str, float | None]:
        """Metric -> margin of equivalence."""
        ...

    @property
    def test(self) -> Literal["permutation", "wilcoxon", "bootstrap"]:
        """How p is computed."""
        ...

    @property
    def correct(self) -> Literal["holm", "bh", "none"]:
        """How p is corrected."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One test that is asked for: cells with the level and with the baseline.

    Attributes:
        level: of the factor that varies.
        within: levels that are held, as text.
        metric: name of the metric.
        margin: of equivalence, or None.
        cells: pairs of cells, the level's first, that agree in all other levels.
    """

    level: str
    within: str
    metric: str
    margin: float | None
    cells: tuple[tuple[CellLike, CellLike], ...]


@dataclass(slots=True)
class Contrasts:
    """Tests entries of ``compare``.

    Attributes:
        cells: all cells.
        values: numbers of clips.
        costs: of cells.
        better: metric -> direction, in the order of the file; costs, too.
        factors: factor -> levels, in the order of the file.
        refused: why nothing is tested; None if it may be.
    """

    cells: Sequence[CellLike]
    values: Sequence[ValueRow]
    costs: Sequence[CostRow]
    better: Mapping[str, Better]
    factors: Mapping[str, Sequence[str]]
    refused: str | None = None
    _by_cell: dict[tuple[str, str], list[ValueRow]] = field(init=False)
    _costs: Costs = field(init=False)

    def __post_init__(self) -> None:
        self._by_cell = defaultdict(list)
        for row in self.values:
            self._by_cell[row.cell, row.metric].append(row)
        self._costs = Costs(self.costs)

    def test(self, contrast: ContrastLike) -> list[TestRow]:
        """The tests of an entry, in the order of the file."""
        questions = list(self._questions(contrast))
        clips = [one for one in questions if not one.metric.startswith(PLAN_METRICS)]
        family = [self._pairs(one) for one in clips]
        found = compare_family(family, contrast.test, contrast.correct)
        answers = {id(one): answer for one, answer in zip(clips, found, strict=True)}
        rows: list[TestRow] = []
        for one in questions:
            if id(one) in answers:
                answer = self._explained(one, answers[id(one)])
                rows.append(_row(contrast, one, one.within, answer))
            else:
                better = self.better.get(one.metric, "lower")
                made = self._costs.compare(one.metric, one.cells, one.margin, better)
                rows += [
                    _row(contrast, one, ", ".join(filter(None, (one.within, more))), answer)
                    for more, answer in made
                ]
        return rows

    def _questions(self, contrast: ContrastLike) -> Iterator[Question]:
        metrics = self._metrics(contrast.metrics)
        for within, levels in self._grouped(contrast).items():
            named = ", ".join(f"{factor}={level}" for factor, level in within)
            free = {contrast.vary, *contrast.within}
            for level in self._order(contrast.vary, levels):
                if level != contrast.baseline:
                    cells = _paired(levels[level], levels.get(contrast.baseline, ()), free)
                    for metric, margin in metrics.items():
                        yield Question(level, named, metric, margin, cells)

    def _grouped(
        self, contrast: ContrastLike
    ) -> dict[tuple[tuple[str, str], ...], dict[str, list[CellLike]]]:
        """Held levels -> level -> cells. A cell without a held factor belongs to all its levels."""
        cells = [
            (cell, levels)
            for cell in self.cells
            if cell.excluded is None and contrast.vary in (levels := all_levels(cell))
        ]
        held = {
            tuple((factor, levels[factor]) for factor in contrast.within)
            for _, levels in cells
            if all(factor in levels for factor in contrast.within)
        }
        places = [list(self.factors.get(factor, ())) for factor in contrast.within]
        found = {}
        for within in sorted(held, key=lambda one: _places([level for _, level in one], places)):
            groups: dict[str, list[CellLike]] = defaultdict(list)
            for cell, levels in cells:
                if all(levels.get(factor, level) == level for factor, level in within):
                    groups[levels[contrast.vary]].append(cell)
            found[within] = groups
        return found

    def _order(self, factor: str, levels: Mapping[str, object]) -> list[str]:
        return sorted(levels, key=lambda level: _places((level,), [self.factors.get(factor, ())]))

    def _metrics(self, asked: Mapping[str, float | None]) -> dict[str, float | None]:
        """Metrics with margins; a family's name means all of its metrics, nothing means all."""
        if not asked:
            return dict.fromkeys(self.better)
        found: dict[str, float | None] = {}
        for name, margin in asked.items():
            members = [metric for metric in self.better if metric.startswith(f"{name}.")]
            found |= dict.fromkeys([name] if name in self.better else members or [name], margin)
        return found

    def _pairs(self, question: Question) -> Pairs:
        ours, theirs = (self._units(question, side) for side in (0, 1))
        _, level, baseline = speaker_pairs(ours, theirs)
        return Pairs(level, baseline, self.better.get(question.metric), question.margin)

    def _units(self, question: Question, side: int) -> dict[Unit, float]:
        return {
            Unit(row.speaker, row.clip, (str(i),), row.seed): row.value
            for i, cells in enumerate(question.cells)
            for row in self._by_cell[cells[side].name, question.metric]
            if row.value is not None
        }

    def _explained(self, question: Question, answer: Comparison) -> Comparison:
        """With the reason why there are no pairs, and why statistics are refused."""
        if answer.n == 0:
            return replace(answer, why=self._no_pairs(question) or answer.why)
        if self.refused and answer.verdict == "not tested":
            return replace(answer, why=self.refused)
        return answer

    def _no_pairs(self, question: Question) -> str:
        if not question.cells:
            return NO_BASELINE
        reasons = Counter(
            row.why_null
            for cells in question.cells
            for cell in cells
            for row in self._by_cell[cell.name, question.metric]
            if row.why_null
        )
        if not reasons:
            return ""
        return f"no speaker has a value of both: {reasons.most_common(1)[0][0]}"


def _paired(
    ours: Sequence[CellLike], theirs: Sequence[CellLike], free: set[str]
) -> tuple[tuple[CellLike, CellLike], ...]:
    """Pairs that agree in every level that both have, but for ``free``."""
    return tuple(
        (one, other)
        for one in ours
        for other in theirs
        if all(
            level == found
            for factor, level in all_levels(one).items()
            if factor not in free and (found := all_levels(other).get(factor)) is not None
        )
    )


def all_levels(cell: CellLike) -> dict[str, str]:
    """Levels of a cell, with its target."""
    return {**({TARGET: cell.target} if cell.target else {}), **cell.levels}


def _places(levels: Sequence[str], orders: Sequence[Sequence[str]]) -> tuple[tuple[int, str], ...]:
    return tuple(
        (list(order).index(level) if level in order else len(order), level)
        for level, order in zip(levels, orders, strict=True)
    )


def _row(contrast: ContrastLike, one: Question, within: str, answer: Comparison) -> TestRow:
    return TestRow(
        vary=contrast.vary,
        level=one.level,
        baseline=contrast.baseline,
        within=within,
        metric=one.metric,
        n=answer.n,
        mean=answer.mean,
        mean_baseline=answer.mean_baseline,
        difference=answer.difference,
        low=answer.low,
        high=answer.high,
        p=answer.p,
        p_corrected=answer.p_corrected,
        d_z=answer.d_z,
        superiority=answer.superiority,
        margin=one.margin,
        p_equivalence=answer.p_equivalence,
        equivalent=answer.equivalent,
        detectable=answer.detectable,
        verdict=answer.verdict,
        why=answer.why,
    )
