"""Two runs: plans that differ, values in pairs, costs, and what one of them lacks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.providers import provided
from voicegraph.schemas.experiment_difference import (
    CostDifference,
    PlanDifference,
    RunDifferenceReport,
    RunSide,
    ValueDifference,
)
from voicegraph.schemas.experiment_manifest import Manifest
from voicegraph.schemas.experiment_tables import Better, CostRow, ValueRow

from ..statistics.paired import Comparison, Pairs, compare_family
from ..statistics.speakers import Unit, speaker_pairs
from ._difference_limits import DifferenceLimits
from ._frames import frame_of
from ._plan_changes import plan_changes

if TYPE_CHECKING:
    import pandas

_Place = tuple[str, str]
"""Cell and metric."""


class Run(Protocol):
    """What is compared of a run: :class:`~voicegraph.experiments.results.run.Run`."""

    folder: Path
    manifest: Manifest

    def value_rows(self) -> Sequence[ValueRow]:
        """Values of metrics."""
        ...

    def cost_rows(self) -> Sequence[CostRow]:
        """Costs and latencies."""
        ...


@dataclass(frozen=True, slots=True)
class RunDifference:
    """How a run differs from a reference.

    Attributes:
        report: everything as plain data.
    """

    report: RunDifferenceReport

    def __str__(self) -> str:
        return provided("run_difference_text")(self.report)

    def values(self) -> pandas.DataFrame:
        """Differences of metrics as a frame, a row a cell and metric.

        Raises:
            PipelineError: if pandas is not installed.
        """
        rows = [row.model_dump() for row in self.report.values]
        return frame_of(rows, list(ValueDifference.model_fields))

    def costs(self) -> pandas.DataFrame:
        """Differences of costs as a frame.

        Raises:
            PipelineError: if pandas is not installed.
        """
        rows = [row.model_dump() for row in self.report.costs]
        return frame_of(rows, list(CostDifference.model_fields))


def difference(a: Run, b: Run, within: Sequence[str] = ()) -> RunDifference:
    """Compares two runs; the first is the reference.

    Args:
        a: the reference.
        b: what is judged.
        within: conditions on differences B less A, such as ``f0.gross<=.01``, or ``identical``.

    Raises:
        PipelineError: if a condition is wrong.
        InputError: if the runs have no cell in common, or one cannot be read.
    """
    limits = DifferenceLimits.parse(within, a.manifest, b.manifest)
    cells_a, cells_b = ({cell.name: cell for cell in run.manifest.cells} for run in (a, b))
    common = [name for name in cells_a if name in cells_b]
    if not common:
        raise InputError(_nothing_in_common(a, b))
    packages = _packages(a.manifest.packages, b.manifest.packages)
    plans = [
        PlanDifference(cell=name, changes=changes)
        for name in common
        if (changes := plan_changes(a.manifest, b.manifest, name, packages))
    ]
    strangers = _other_clips(a, b)
    values = _values(a, b, common, strangers)
    costs = _costs(a, b, common)
    lacks_a, lacks_b = _lacks(b, a), _lacks(a, b)
    notes = [f"clip {name}: other contents under the same name" for name in sorted(strangers)]
    lacks_a, lacks_b = [*lacks_a, *notes], [*lacks_b, *notes]
    identical = not (plans or lacks_a or lacks_b) and all(row.identical for row in values)
    judged = limits.judge(values, costs, identical=identical)
    holds = [one.ok for one in judged]
    return RunDifference(
        RunDifferenceReport(
            a=_side(a),
            b=_side(b),
            identical=identical,
            packages=packages,
            plans=plans,
            values=values,
            costs=costs,
            lacks_a=lacks_a,
            lacks_b=lacks_b,
            limits=judged,
            within=False if False in holds else None if None in holds or not holds else True,
        )
    )


def _side(run: Run) -> RunSide:
    facts = run.manifest
    return RunSide(
        folder=str(run.folder),
        name=facts.name,
        hash=facts.hash,
        finished=facts.finished,
        voicegraph=facts.voicegraph,
        commit=facts.commit,
        dirty=facts.dirty is not None,
        cells=len(facts.cells),
        values=sum(row.value is not None for row in run.value_rows()),
    )


def _nothing_in_common(a: Run, b: Run) -> Problem:
    notes = tuple(
        (f"{run.folder}: {', '.join(cell.name for cell in run.manifest.cells[:3])}", None)
        for run in (a, b)
    )
    text = f"{a.folder} and {b.folder} have no cell in common, so there is nothing to compare"
    fix = "two runs of one experiment, or `compare` in one experiment that has both as levels"
    return Problem("nothing-in-common", text, notes=notes, fix=fix)


def _packages(a: Mapping[str, str], b: Mapping[str, str]) -> dict[str, list[str | None]]:
    names = sorted({*a, *b})
    return {name: [a.get(name), b.get(name)] for name in names if a.get(name) != b.get(name)}


def _other_clips(a: Run, b: Run) -> set[str]:
    """Names that stand for different sounds in both runs."""
    first = {clip.name: (clip.sha256, clip.start_s, clip.seconds) for clip in a.manifest.clips}
    return {
        clip.name
        for clip in b.manifest.clips
        if first.get(clip.name, found := (clip.sha256, clip.start_s, clip.seconds)) != found
    }


def _values(a: Run, b: Run, cells: Iterable[str], strangers: set[str]) -> list[ValueDifference]:
    """Every metric of every common cell; one family of tests."""
    known = (*b.manifest.metrics, *a.manifest.metrics)
    better: dict[str, Better] = {metric.name: metric.better for metric in known}
    both = [_units(run.value_rows(), strangers) for run in (a, b)]
    order = {name: i for i, name in enumerate(cells)}
    places = [place for place in both[0] if place in both[1] and place[0] in order]
    names = {name: i for i, name in enumerate(better)}
    places.sort(key=lambda place: (order[place[0]], names.get(place[1], len(names)), place[1]))
    pairs = []
    for place in places:
        _, theirs, ours = speaker_pairs(both[0][place], both[1][place])
        pairs.append(Pairs(ours, theirs, better.get(place[1])))
    found = compare_family(pairs)
    return [
        _value(place, both[0][place], both[1][place], answer)
        for place, answer in zip(places, found, strict=True)
    ]


def _units(rows: Iterable[ValueRow], strangers: set[str]) -> dict[_Place, dict[Unit, float]]:
    found: dict[_Place, dict[Unit, float]] = defaultdict(dict)
    for row in rows:
        units = found[row.cell, row.metric]
        if row.value is not None and row.clip not in strangers:
            units[Unit(row.speaker, row.clip, (), row.seed)] = row.value
    return found


def _value(
    place: _Place, a: Mapping[Unit, float], b: Mapping[Unit, float], answer: Comparison
) -> ValueDifference:
    common = a.keys() & b.keys()
    return ValueDifference(
        cell=place[0],
        metric=place[1],
        pairs=len(common),
        identical=a == b,
        n=answer.n,
        mean_a=answer.mean_baseline,
        mean_b=answer.mean,
        difference=answer.difference,
        low=answer.low,
        high=answer.high,
        p=answer.p,
        p_corrected=answer.p_corrected,
        d_z=answer.d_z,
        verdict=answer.verdict,
        why=answer.why,
    )


def _costs(a: Run, b: Run, cells: Iterable[str]) -> list[CostDifference]:
    both = [_figures(run.cost_rows()) for run in (a, b)]
    found = []
    order = {name: i for i, name in enumerate(cells)}
    for (cell, name), theirs in both[0].items():
        ours = both[1].get((cell, name))
        if ours is None or cell not in order:
            continue
        machine = next((host for host in theirs if host in ours), None)
        one = theirs[machine if machine is not None else next(iter(theirs))]
        other = ours[machine if machine is not None else next(iter(ours))]
        found.append(_cost(one, other, comparable=machine is not None))
    return sorted(found, key=lambda row: order[row.cell])


def _figures(rows: Iterable[CostRow]) -> dict[_Place, dict[str, CostRow]]:
    """Cell and figure -> machine -> row."""
    found: dict[_Place, dict[str, CostRow]] = defaultdict(dict)
    for row in rows:
        found[row.cell, row.name].setdefault(row.machine, row)
    return found


def _cost(a: CostRow, b: CostRow, *, comparable: bool) -> CostDifference:
    return CostDifference(
        cell=a.cell,
        name=a.name,
        unit=a.unit,
        machine_a=a.machine,
        machine_b=b.machine,
        a=a.value,
        b=b.value,
        difference=b.value - a.value,
        comparable=comparable,
    )


def _lacks(of: Run, run: Run) -> list[str]:
    """What ``of`` has and ``run`` lacks: cells, metrics, clips, values, each once."""
    there, here = of.manifest, run.manifest
    cells = _missing("cell", (c.name for c in there.cells), (c.name for c in here.cells))
    metrics = _missing("metric", (m.name for m in there.metrics), (m.name for m in here.metrics))
    clips = _missing("clip", (c.name for c in there.clips), (c.name for c in here.clips))
    seeds = _missing("seed", map(str, there.seeds), map(str, here.seeds))
    return [*cells, *metrics, *clips, *seeds, *_lacking_values(of, run)]


def _missing(kind: str, there: Iterable[str], here: Iterable[str]) -> list[str]:
    known = set(here)
    return [f"{kind} {name}" for name in there if name not in known]


def _lacking_values(of: Run, run: Run) -> list[str]:
    """Values that are null in one run only, counted by cell and metric."""
    mine = {_key(row): row for row in run.value_rows()}
    lacking = Counter(
        (row.cell, row.metric, own.why_null)
        for row in of.value_rows()
        if row.value is not None and (own := mine.get(_key(row))) is not None and own.value is None
    )
    return [
        f"{count} {'value' if count == 1 else 'values'} of {metric} in {cell}: {why}"
        for (cell, metric, why), count in lacking.items()
    ]


def _key(row: ValueRow) -> tuple[str, str, int, str]:
    return row.cell, row.clip, row.seed, row.metric
