"""From stored results to rows: cells and how they ended, values of metrics, failures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from voicegraph.schemas.experiment_manifest import FailureFacts
from voicegraph.schemas.experiment_tables import CellRow, ValueRow

from ..compiled import Cell, CompiledExperiment, Item
from ..evaluation import evaluate
from ..metric import Metric
from ..store import Store
from ..task import Failure, Kind, Outcome, Task
from ._reading import MissingError, Reader

NOT_COMPUTED = "not computed yet"
_FOLLOWED = ("needs-failed",)
"""Codes of tasks that were not tried because of another one."""


@dataclass(slots=True)
class Measured:
    """Rows of a run, sorted, and what failed.

    Attributes:
        cells: one row a cell, clip and seed.
        values: one row more a metric.
        failures: each with the cells and clips that it concerns.
    """

    cells: list[CellRow] = field(default_factory=list)
    values: list[ValueRow] = field(default_factory=list)
    failures: list[FailureFacts] = field(default_factory=list)


class Ends:
    """How tasks ended: in the store, or with a failure of their own or of what they need.

    Args:
        compiled: the experiment.
        outcomes: those that are known; of tasks that are in the store none is needed.
        store: what is done.
    """

    def __init__(
        self, compiled: CompiledExperiment, outcomes: Iterable[Outcome], store: Store
    ) -> None:
        self.tasks: Mapping[str, Task] = {task.key: task for task in compiled.tasks}
        self.outcomes: Mapping[str, Outcome] = {one.key: one for one in outcomes}
        self._done: dict[str, bool] = {}
        self._store = store

    def done(self, key: str) -> bool:
        """Whether its result is there."""
        if key not in self._done:
            self._done[key] = self._store.has(key)
        return self._done[key]

    def failure(self, key: str) -> tuple[str, Outcome] | None:
        """The first failure on the way to a result: the key of that task, and how it ended."""
        if self.done(key):
            return None
        task, own = self.tasks.get(key), self.outcomes.get(key)
        for need in task.needs if task else ():
            if (found := self.failure(need)) is not None:
                return found
        if own is None or own.failure is None:
            return None
        return key, own

    def of_clip(self, cell: str, item: Item | None, key: str) -> FailureFacts | None:
        """The failure behind a result that a cell and clip need."""
        found = self.failure(key)
        if found is None:
            return None
        at, outcome = found
        failure = outcome.failure
        assert failure is not None
        return FailureFacts(
            cell=cell,
            clip=item.clip.name if item else "",
            seed=item.seed if item else 0,
            code=failure.code,
            message=_message(failure, self.tasks.get(at)),
            node=failure.node,
            second=failure.second,
            fix=failure.fix,
            attempts=outcome.attempts,
            host=outcome.host,
        )


def _message(failure: Failure, task: Task | None) -> str:
    """What failed; of an observation, who was listening."""
    if task is None or task.kind in (Kind.CONVERT, Kind.COST) or not task.label:
        return failure.message
    return f"{task.label}: {failure.message}"


def measure(compiled: CompiledExperiment, outcomes: Iterable[Outcome], store: Store) -> Measured:
    """Cells, values and failures of what is in the store; computes every metric.

    Raises:
        DamagedResultError: if a result is damaged; it is no longer in the store then.
    """
    ends = Ends(compiled, outcomes, store)
    reader = Reader(compiled, store)
    cells = {cell.name: cell for cell in compiled.cells}
    metrics = [metric for metric in compiled.metrics if metric.per == "clip"]
    found = Measured()
    started = set()
    for item in compiled.items:
        cell = cells[item.cell]
        started.add(item.cell)
        failure = ends.of_clip(item.cell, item, item.made)
        found.cells.append(_cell_row(cell, item, ends, store, failure))
        found.failures += [failure] if failure else []
        found.values += _values(metrics, item, reader, ends, failure, found.failures)
    found.cells += [_excluded(cell) for cell in compiled.cells if cell.name not in started]
    found.failures += _cost_failures(compiled, ends)
    found.cells.sort(key=lambda row: (row.cell, row.clip, row.seed))
    found.values.sort(key=lambda row: (row.cell, row.clip, row.seed, row.metric))
    found.failures = list(dict.fromkeys(sorted(found.failures, key=_place)))
    return found


def _place(failure: FailureFacts) -> tuple[str, str, int, str, str]:
    return failure.cell, failure.clip, failure.seed, failure.code, failure.message


def _cell_row(
    cell: Cell, item: Item, ends: Ends, store: Store, failure: FailureFacts | None
) -> CellRow:
    done = ends.done(item.made)
    outcome = ends.outcomes.get(item.made)
    record = store.record(item.made) if done else None
    return CellRow(
        cell=cell.name,
        clip=item.clip.name,
        speaker=item.clip.speaker,
        seed=item.seed,
        target=cell.target or "",
        plan=cell.plan or "",
        sound=item.made,
        source=item.source,
        given=item.given,
        status="done" if done else "failed" if failure else "missing",
        code=failure.code if failure else "",
        attempts=outcome.attempts if outcome else int(done),
        seconds=record.seconds if record else outcome.seconds if outcome else 0.0,
        host=record.host if record else outcome.host if outcome else "",
        levels=cell.levels,
    )


def _excluded(cell: Cell) -> CellRow:
    """The row of a cell that has no clips."""
    return CellRow(
        cell=cell.name,
        clip="",
        speaker="",
        seed=0,
        target=cell.target or "",
        plan=cell.plan or "",
        sound="",
        status="excluded" if cell.excluded else "missing",
        code=cell.excluded or "",
        levels=cell.levels,
    )


def _values(
    metrics: Iterable[Metric],
    item: Item,
    reader: Reader,
    ends: Ends,
    failure: FailureFacts | None,
    failures: list[FailureFacts],
) -> Iterator[ValueRow]:
    for metric in metrics:
        if failure is not None:
            value, why = None, f"failed: {failure.message}"
        elif not ends.done(item.made):
            value, why = None, NOT_COMPUTED
        else:
            value, why = _value(metric, item, reader, ends, failures)
        place = (item.cell, item.clip.name, item.clip.speaker, item.seed)
        yield ValueRow(*place, metric.name, value, why)


def _value(
    metric: Metric, item: Item, reader: Reader, ends: Ends, failures: list[FailureFacts]
) -> tuple[float | None, str]:
    try:
        value, why = evaluate(metric, reader.heard(metric, item))
    except MissingError as missing:
        failure = missing.key and ends.of_clip(item.cell, item, missing.key)
        if not failure:
            return None, f"{missing.what}: {NOT_COMPUTED}" if missing.key else missing.what
        failures.append(failure)
        return None, f"failed: {failure.message}"
    if why.startswith(f"{metric.name} failed: "):
        failures.append(_raised(item, why))
    return value, why


def _raised(item: Item, why: str) -> FailureFacts:
    return FailureFacts(
        cell=item.cell,
        clip=item.clip.name,
        seed=item.seed,
        code="metric-failed",
        message=why,
        fix="mend the metric, and run the same command: only metrics are computed again",
    )


def _cost_failures(compiled: CompiledExperiment, ends: Ends) -> Iterator[FailureFacts]:
    for (cell, _), key in compiled.costs.items():
        if (failure := ends.of_clip(cell, None, key)) is not None:
            yield failure
