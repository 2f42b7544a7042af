"""The loop between schedule and engine: outcomes, the journal, stops, a full disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from voicegraph.experiments.engines.engine import (
    RETURNED,
    Event,
    Finished,
    Limits,
    Lost,
    Note,
)
from voicegraph.experiments.engines.journal import Journal, known_failures
from voicegraph.experiments.engines.run_tasks import TaskRun, run_tasks
from voicegraph.experiments.engines.serial import Serial
from voicegraph.experiments.store import DiskFullError, Store
from voicegraph.experiments.task import Failure, Outcome, Result, Task

from ._works import Add, NodeFails, key_of, task


def _sums(count: int) -> list[Task]:
    first = [task(f"in{k}", Add(k), group="in") for k in range(count)]
    return [*first, *(task(f"c{k}", Add(1, (t.key,)), t, group="c") for k, t in enumerate(first))]


def _events(path: Path) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["event"], line.get("label", "")) for line in lines]


class Scripted:
    """An engine whose events are written down: for each poll, what comes of the batches."""

    name = "scripted"

    def __init__(self, store: Store, *steps: Callable[[int, Task], Event | None]) -> None:
        self.store, self.steps = store, list(steps)
        self.batches: dict[int, list[Task]] = {}
        self.closed = self.started = 0
        self.cancelled: list[int] = []
        self.finishing: set[int] = set()

    def start(self, store: Store, limits: Limits) -> None:
        self.started += 1

    def slots(self, *, alone: bool = False) -> int:
        return 1

    def submit(self, ticket: int, batch: Sequence[Task]) -> None:
        self.batches[ticket] = list(batch)

    def poll(self, timeout_s: float) -> Sequence[Event]:
        events: list[Event] = []
        for ticket, batch in list(self.batches.items()):
            step = self.steps.pop(0) if self.steps else done
            event = step(ticket, batch[0])
            match event:
                case Finished():
                    batch.pop(0)
                    if event.outcome.failure is None:
                        self.store.write(event.outcome.key, Result({}))
                case Lost():
                    del self.batches[ticket]
            if not batch:
                self.batches.pop(ticket, None)
            elif ticket in self.finishing and isinstance(event, Finished):
                self.batches.pop(ticket, None)
                events.append(event)
                event = Lost(ticket, Failure(RETURNED, ""))
            if event is not None:
                events.append(event)
        return events

    def cancel(self, ticket: int) -> bool:
        self.cancelled.append(ticket)
        self.batches.pop(ticket)
        return True

    def finish(self, ticket: int) -> None:
        self.finishing.add(ticket)

    def close(self) -> None:
        self.closed += 1


def done(ticket: int, one: Task) -> Event:
    return Finished(ticket, Outcome(one.key, seconds=1.0, size=1_000_000))


def full(ticket: int, one: Task) -> Event:
    why = Failure("disk-full", "x cannot be written: No space left on device")
    return Finished(ticket, Outcome(one.key, why))


def nothing(ticket: int, one: Task) -> None:
    return None


# ---- results


def test_everything_is_computed_once(store: Store, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    run = TaskRun(_sums(4), store, Serial(), journal=journal)
    outcomes = list(run)
    journal.close()
    assert sorted(o.key for o in outcomes) == sorted(t.key for t in _sums(4))
    assert not any(o.failure for o in outcomes)
    assert [float(store.read(key_of(f"c{k}")).arrays["x"][0]) for k in range(4)] == [1, 2, 3, 4]
    assert sorted(label for event, label in _events(journal.path) if event == "done") == sorted(
        t.label for t in _sums(4)
    )
    assert run.progress().done == 8


def test_a_second_run_computes_nothing_and_starts_no_engine(store: Store) -> None:
    list(run_tasks(_sums(2), store, Serial()))
    engine = Scripted(store)
    run = TaskRun(_sums(2), store, engine)
    assert list(run) == []
    assert run.progress().stored == 4
    assert (engine.started, engine.closed) == (0, 0)


def test_failures_stay_until_they_are_tried_again(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    tasks = [a := task("a", NodeFails()), task("b", Add(1, (a.key,)), a)]
    for attempt in range(2):
        journal = Journal(path)
        outcomes = list(
            TaskRun(tasks, store, Serial(), journal=journal, failed=known_failures(path))
        )
        journal.close()
        assert [o.failure and o.failure.code for o in outcomes] == ["not-finite", "needs-failed"]
        assert _events(path) == [("failed", "a")], f"in run {attempt}"
    mended = [task("a", Add(1)), tasks[1]]
    journal = Journal(path)
    journal.add("retry-failed")
    journal.flush()
    assert not known_failures(path)
    outcomes = list(TaskRun(mended, store, Serial(), failed=known_failures(path), journal=journal))
    journal.close()
    assert not any(o.failure for o in outcomes)
    assert not known_failures(path)


def test_a_damaged_result_is_named_and_made_again(store: Store, tmp_path: Path) -> None:
    tasks = _sums(1)
    list(run_tasks(tasks[:1], store, Serial()))
    (path,) = (p for p in store.files(key_of("in0")) if p.suffix == ".safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    journal = Journal(tmp_path / "journal.jsonl")
    outcomes = list(TaskRun(tasks, store, Serial(), journal=journal))
    journal.close()
    assert [o.key for o in outcomes] == [key_of("in0"), key_of("c0")]
    assert [event for event, _ in _events(journal.path)] == ["damaged", "done", "done"]
    assert str(path) in journal.path.read_text()


# ---- what engines report


def test_late_tasks_are_cancelled_and_the_rest_goes_on(store: Store, tmp_path: Path) -> None:
    engine = Scripted(store, nothing)
    journal = Journal(tmp_path / "journal.jsonl")
    limits = Limits(deadline=1e-9)
    outcomes = list(TaskRun([task("a", Add(1))], store, engine, limits=limits, journal=journal))
    journal.close()
    assert [o.failure and o.failure.code for o in outcomes] == ["late"]
    assert len(engine.cancelled) == 1
    assert _events(journal.path) == [("late", "a"), ("failed", "a")]


def test_notes_and_lost_nodes_are_in_the_journal(store: Store, tmp_path: Path) -> None:
    def joined(ticket: int, one: Task) -> Event:
        return Note("node-joined", "B joined", host="B")

    def gone(ticket: int, one: Task) -> Event:
        return Lost(ticket, Failure("node-lost", "B is gone"), one.key, host="B")

    journal, noted = Journal(tmp_path / "journal.jsonl"), []
    engine = Scripted(store, joined, gone)
    run = TaskRun([task("a", Add(1))], store, engine, journal=journal, noted=noted.append)
    (outcome,) = list(run)
    journal.close()
    assert outcome.attempts == 2
    assert [note.message for note in noted] == ["B joined"]
    events = [event for event, _ in _events(journal.path)]
    assert events == ["note", "lost", "retry", "done"]
    assert journal.path.read_text().count('"host": "B"') == 2


# ---- stops


def test_a_stop_finishes_what_runs_and_begins_nothing_new(store: Store) -> None:
    engine, stop = Scripted(store), []
    outcomes: list[Outcome] = []
    for outcome in TaskRun(_sums(9), store, engine, stopping=lambda: bool(stop)):
        outcomes.append(outcome)
        stop.append(True)
    assert len(outcomes) == 2, "the one that ended, and the one that ran"
    assert engine.closed == 1
    assert len(list(store.keys())) == 2
    rest = list(run_tasks(_sums(9), store, Scripted(store)))
    assert len(rest) == 16


def test_an_interrupt_closes_the_engine(store: Store) -> None:
    def interrupt(ticket: int, one: Task) -> Event:
        raise KeyboardInterrupt

    engine = Scripted(store, interrupt)
    with pytest.raises(KeyboardInterrupt):
        list(TaskRun(_sums(1), store, engine))
    assert engine.closed == 1


def test_a_full_disk_stops_and_says_what_is_missing(store: Store) -> None:
    engine = Scripted(store, done, full)
    outcomes: list[Any] = []
    with pytest.raises(DiskFullError) as caught:
        outcomes.extend(TaskRun(_sums(3), store, engine))
    (problem,) = caught.value.problems
    assert "No space left on device" in problem.message
    assert problem.message.endswith("4 results are missing, about 4 MB")
    assert caught.value.exit_code == 4
    assert engine.closed == 1
