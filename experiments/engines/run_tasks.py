"""Runs tasks: the loop between the schedule, which decides, and an engine, which computes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from statistics import mean
from time import monotonic
from typing import TYPE_CHECKING

from voicegraph.graph.errors import Problem

from ..task import Failure, Kind, Outcome, Task
from .engine import RETURNED, Engine, Event, Finished, Limits, Lost, Note
from .schedule import DERIVED, Schedule, TaskProgress
from .stop_request import GRACE_S

if TYPE_CHECKING:
    from ..store import Store
    from .journal import Journal

_POLL_S = 0.2
_SIZE = 100_000
"""Bytes of a result, as long as none is known."""
_DAMAGED = "damaged-result"


class TaskRun:
    """Computes what is not in the store; iterating over it gives outcomes as tasks end.

    Args:
        tasks: all tasks of the experiment, each key once.
        store: where results are, and go.
        engine: computes them. It is started only if there is something to compute.
        limits: of a task.
        failed: tasks that failed in earlier runs; their failures are given out again at once.
        keep_going: do not stop a plan that fails the same way again and again.
        journal: notes what happens.
        stopping: whether to end: what runs is finished, or given some seconds.
        noted: told of notes of the engine.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        store: Store,
        engine: Engine,
        *,
        limits: Limits | None = None,
        failed: Mapping[str, Failure] | None = None,
        keep_going: bool = False,
        journal: Journal | None = None,
        stopping: Callable[[], bool] = lambda: False,
        noted: Callable[[Note], object] = str,
    ) -> None:
        self._store, self._engine, self._journal = store, engine, journal
        self._limits = limits or Limits()
        self._stopping, self._noted = stopping, noted
        self._schedule = Schedule(
            tasks, store.has, self._limits, failed=failed, keep_going=keep_going
        )
        self._sizes: defaultdict[Kind, list[int]] = defaultdict(list)
        self._full: Failure | None = None
        self._known = frozenset(failed or ())

    def progress(self) -> TaskProgress:
        """How far it is."""
        return self._schedule.progress()

    def seconds_left(self) -> float:
        """Time until the end, with as many workers as there are now, as far as can be foreseen."""
        return self._schedule.progress().seconds_left / max(1, self._engine.slots())

    def __iter__(self) -> Generator[Outcome]:
        """Computes; workers end when the generator is closed.

        Raises:
            DiskFullError: if there is no room for results; says how much is missing.
            OutputError: if the journal cannot be written.
            PipelineError, DeviceError: as the engine.
        """
        yield from self._ended()
        if self._schedule.over or self._stopping():
            return
        try:
            self._engine.start(self._store, self._limits)
            while not self._schedule.over and not self._stopping() and self._full is None:
                self._give_out()
                yield from self._step(self._engine.poll(_POLL_S))
            yield from self._finish()
        finally:
            self._engine.close()
            self._flush()
        if self._full is not None:
            raise self._disk_full(self._full)

    # ---- one step

    def _give_out(self) -> None:
        """Keeps all workers busy."""
        while True:
            slots, alone = self._engine.slots(), self._engine.slots(alone=True)
            found = self._schedule.next_batch(slots, alone, monotonic())
            if found is None:
                return
            self._engine.submit(*found)

    def _step(self, events: Sequence[Event]) -> Iterator[Outcome]:
        """Takes events in. New batches begin before anything is written or shown."""
        now = monotonic()
        for event in events:
            self._take(event, now)
        for ticket in self._schedule.late(now):
            self._cancel(ticket)
        if self._full is None and not self._stopping():
            self._give_out()
        yield from self._ended()

    def _take(self, event: Event, now: float) -> None:
        match event:
            case Note():
                self._note("note", code=event.code, message=event.message, host=event.host)
                self._noted(event)
            case Finished(ticket, outcome):
                self._take_outcome(ticket, outcome, now)
            case Lost():
                again = self._schedule.lost(event)
                if event.why.code != RETURNED:
                    values = {"code": event.why.code, "message": event.why.message}
                    who = {"host": event.host, "process": event.process}
                    self._note("lost", **values, **who, running=event.running)
                if again is not None:
                    self._note("retry", key=again, label=self._schedule.task(again).label)

    def _take_outcome(self, ticket: int, outcome: Outcome, now: float) -> None:
        failure = outcome.failure
        if failure is not None and failure.code == _DAMAGED:
            self._note("damaged", message=failure.message, by=outcome.key)
        if outcome.size:
            self._sizes[self._schedule.task(outcome.key).kind].append(outcome.size)
        if not self._schedule.finished(ticket, outcome, now):
            self._full = failure

    def _cancel(self, ticket: int) -> None:
        task = self._schedule.current(ticket)
        blamed = self._engine.cancel(ticket)
        self._note("late", key=task.key, label=task.label, computing=blamed)
        if self._schedule.cancelled(ticket, blamed=blamed) is not None:
            self._note("retry", key=task.key, label=task.label)

    def _ended(self) -> Iterator[Outcome]:
        """Outcomes since the last call, after they are in the journal."""
        outcomes = self._schedule.settled()
        if self._journal is not None:
            for outcome in outcomes:
                failure = outcome.failure
                known = outcome.key in self._known
                if not known and (failure is None or failure.code not in DERIVED):
                    self._journal.ended(self._schedule.task(outcome.key), outcome)
        self._flush()
        yield from outcomes

    # ---- the end

    def _finish(self) -> Iterator[Outcome]:
        """Lets what runs end, for some seconds."""
        if self._schedule.over:
            return
        for ticket in self._schedule.running:
            self._engine.finish(ticket)
        until = monotonic() + GRACE_S
        while self._schedule.running and (left := until - monotonic()) > 0:
            events = self._engine.poll(min(left, _POLL_S))
            for event in events:
                self._take(event, monotonic())
            yield from self._ended()
        for ticket in self._schedule.running:
            task = self._schedule.current(ticket)
            self._note("stopped", key=task.key, label=task.label)
        self._flush()

    def _disk_full(self, failure: Failure) -> Exception:
        from ..store import DiskFullError

        left = self._schedule.open_tasks()
        every = [size for sizes in self._sizes.values() for size in sizes] or [_SIZE]
        missing = sum(mean(self._sizes[task.kind] or every) for task in left)
        text = f"{failure.message}; {len(left)} results are missing, about {missing / 1e6:.0f} MB"
        return DiskFullError(Problem("disk-full", text, fix=self._limits.remedies.full))

    def _note(self, event: str, **values: object) -> None:
        if self._journal is not None:
            self._journal.add(event, **values)

    def _flush(self) -> None:
        if self._journal is not None:
            self._journal.flush()


def run_tasks(
    tasks: Sequence[Task], store: Store, engine: Engine, *, limits: Limits | None = None
) -> Iterator[Outcome]:
    """Computes what is not in the store, without a folder of a run; gives outcomes as they come.

    Raises:
        As iterating over :class:`TaskRun`.
    """
    return iter(TaskRun(tasks, store, engine, limits=limits))
