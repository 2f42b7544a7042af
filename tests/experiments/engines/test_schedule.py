"""The schedule: order, batches, retries, quarantine, what follows from failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.experiments.engines.engine import (
    NODE_LOST,
    OUT_OF_MEMORY,
    PROCESS_ENDED,
    RETURNED,
    Limits,
    Lost,
)
from voicegraph.experiments.engines.schedule import Schedule
from voicegraph.experiments.task import Failure, Kind, Outcome, Task

from ._works import key_of, task

KILLED = Failure(PROCESS_ENDED, "its process ended by signal 9 (SIGKILL)")
BAD = Failure("node-failed", "f0 raised", node="f0")


def _schedule(
    tasks: Sequence[Task],
    stored: set[str] | None = None,
    failed: Mapping[str, Failure] | None = None,
    **limits: Any,
) -> Schedule:
    keep_going = limits.pop("keep_going", False)
    found = stored if stored is not None else set()
    return Schedule(
        tasks, found.__contains__, Limits(**limits), failed=failed, keep_going=keep_going
    )


def _batch(schedule: Schedule, slots: int = 1, alone: int = 1) -> tuple[int, list[str]]:
    """The next batch: ticket and labels."""
    found = schedule.next_batch(slots, alone, 0.0)
    assert found is not None
    return found[0], [t.label for t in found[1]]


def _codes(schedule: Schedule) -> dict[str, str | None]:
    """Label -> code, of what was settled since."""
    return {
        schedule.task(outcome.key).label: outcome.failure and outcome.failure.code
        for outcome in schedule.settled()
    }


def _run(
    schedule: Schedule, fails: Mapping[str, Failure] | None = None, slots: int = 1
) -> list[list[str]]:
    """Computes everything, one batch after another; the labels of each."""
    batches: list[list[str]] = []
    while (found := schedule.next_batch(slots, 1, 0.0)) is not None:
        ticket, batch = found
        batches.append([one.label for one in batch])
        for one in batch:
            failure = (fails or {}).get(one.label)
            schedule.finished(ticket, Outcome(one.key, failure, seconds=1.0), 0.0)
    return batches


def _plan(name: str, count: int, **values: Any) -> list[Task]:
    return [task(f"{name}{k}", None, group=name, kind=Kind.CONVERT, **values) for k in range(count)]


# ---- order and batches


@st.composite
def _graphs(draw: st.DrawFn) -> list[Task]:
    tasks: list[Task] = []
    for number in range(draw(st.integers(1, 14))):
        needs = draw(st.lists(st.sampled_from(tasks), max_size=3, unique=True)) if tasks else []
        kind = draw(st.sampled_from(list(Kind)))
        alone = kind is Kind.COST
        group = draw(st.sampled_from("abc"))
        tasks.append(task(str(number), None, *needs, kind=kind, group=group, alone=alone))
    return tasks


@given(_graphs(), st.data())
def test_every_task_ends_once_and_after_what_it_needs(
    tasks: list[Task], data: st.DataObject
) -> None:
    """Whatever engines report, in whatever order."""
    stored = {t.key for t in tasks if data.draw(st.booleans())}
    schedule = _schedule(tasks, stored, keep_going=data.draw(st.booleans()))
    slots = data.draw(st.integers(1, 3))
    running: dict[int, list[Task]] = {}
    ended = [outcome.key for outcome in schedule.settled()]
    for _ in range(400):
        while (found := schedule.next_batch(slots, 1, 0.0)) is not None:
            running[found[0]] = found[1]
            assert all(need in stored for one in found[1] for need in one.needs)
            assert not any(one.alone for one in found[1]) or len(running) == 1
        assert len(running) <= slots
        if not running:
            break
        ticket = data.draw(st.sampled_from(sorted(running)))
        one = running[ticket][0]
        match data.draw(st.sampled_from(["done", "done", "failed", "killed", "node", "returned"])):
            case "done":
                stored.add(one.key)
                schedule.finished(ticket, Outcome(one.key), 0.0)
                running[ticket].pop(0)
            case "failed":
                schedule.finished(ticket, Outcome(one.key, BAD), 0.0)
                running[ticket].pop(0)
            case "killed":
                schedule.lost(Lost(ticket, KILLED, one.key))
                del running[ticket]
            case code:
                why = Failure({"node": NODE_LOST, "returned": RETURNED}[code], "")
                schedule.lost(Lost(ticket, why))
                del running[ticket]
        running = {number: left for number, left in running.items() if left}
        ended += [outcome.key for outcome in schedule.settled()]
    else:
        for ticket in list(running):  # chance brought no end: let all succeed
            schedule.lost(Lost(ticket, Failure(RETURNED, "")))
        _run(schedule)
        ended += [outcome.key for outcome in schedule.settled()]
    assert schedule.over
    assert len(ended) == len(set(ended))
    assert set(ended) | stored >= {t.key for t in tasks}


def test_what_is_stored_is_not_computed() -> None:
    tasks = _plan("a", 3)
    schedule = _schedule(tasks, {tasks[1].key})
    assert _run(schedule) == [["a0", "a2"]]
    assert schedule.progress().stored == 1
    assert schedule.over


def test_a_batch_holds_as_many_as_take_the_time() -> None:
    schedule = _schedule(_plan("a", 53), task_seconds=10)
    sizes = [len(batch) for batch in _run(schedule)]
    assert sizes == [3, 10, 10, 10, 10, 10], "of a new group little is known"


def test_batches_become_shorter_so_that_workers_end_together() -> None:
    schedule = _schedule(_plan("a", 60), task_seconds=10)
    sizes = [len(batch) for batch in _run(schedule, slots=2)]
    assert max(sizes) == 10
    assert sizes[-1] == 1


def test_workers_get_different_groups() -> None:
    schedule = _schedule([*_plan("a", 9), *_plan("b", 9)])
    assert [_batch(schedule, slots=2)[1][0] for _ in range(2)] == ["a0", "b0"]
    assert schedule.next_batch(2, 1, 0.0) is None


def test_a_group_that_was_begun_goes_on_before_a_new_one() -> None:
    schedule = _schedule([*_plan("a", 9), *_plan("b", 9)])
    groups = [batch[0][0] for batch in _run(schedule)]
    assert groups == sorted(groups)


def test_observations_come_before_further_conversions() -> None:
    """So cells are finished early, and a run that is stopped has something to show."""
    converts = [*_plan("a", 2), *_plan("b", 2)]
    observes = [
        task(f"o{t.label}", None, t, kind=Kind.OBSERVE, group=f"o{t.label[0]}") for t in converts
    ]
    order = [label for batch in _run(_schedule([*converts, *observes])) for label in batch]
    assert order == ["a0", "a1", "oa0", "oa1", "b0", "b1", "ob0", "ob1"]


def test_costs_are_measured_alone_and_at_the_end() -> None:
    costs = [task(f"cost{k}", None, kind=Kind.COST, group=f"cost{k}", alone=True) for k in range(2)]
    schedule = _schedule([*costs, *_plan("a", 2)])
    first, labels = _batch(schedule, slots=2)
    assert labels[0] == "a0"
    second, _ = _batch(schedule, slots=2)
    assert schedule.next_batch(2, 1, 0.0) is None
    for ticket, name in ((first, "a0"), (second, "a1")):
        schedule.finished(ticket, Outcome(key_of(name)), 0.0)
    ticket, labels = _batch(schedule, slots=2)
    assert labels == ["cost0"]
    assert schedule.next_batch(2, 1, 0.0) is None
    assert _batch(schedule, slots=2, alone=2)[1] == ["cost1"], "on another machine"


# ---- failures


def test_what_needs_a_failed_task_fails_with_its_reason() -> None:
    a = task("a", None)
    b = task("b", None, a)
    c = task("c", None, b)
    schedule = _schedule([a, b, c])
    _run(schedule, {"a": BAD})
    found = {schedule.task(o.key).label: o for o in schedule.settled()}
    assert {label: o.failure and o.failure.code for label, o in found.items()} == {
        "a": "node-failed",
        "b": "needs-failed",
        "c": "needs-failed",
    }
    assert found["c"].failure == Failure("needs-failed", "a: f0 raised", node="f0")


def test_three_equal_failures_stop_a_plan() -> None:
    schedule = _schedule([*_plan("a", 9), *_plan("b", 2)])
    _run(schedule, {f"a{k}": BAD for k in range(9)})
    codes = _codes(schedule)
    assert [codes[f"a{k}"] for k in range(9)] == ["node-failed"] * 3 + ["plan-stopped"] * 6
    assert [codes["b0"], codes["b1"]] == [None, None]
    kept = _schedule(_plan("a", 9), keep_going=True)
    _run(kept, {f"a{k}": BAD for k in range(9)})
    assert set(_codes(kept).values()) == {"node-failed"}


def test_a_plan_that_mostly_succeeds_goes_on() -> None:
    schedule = _schedule(_plan("a", 20))
    _run(schedule, {f"a{k}": BAD for k in range(3, 8)})
    assert "plan-stopped" in _codes(schedule).values()
    schedule = _schedule(_plan("a", 20))
    _run(schedule, {f"a{k}": BAD for k in range(6, 11)})
    assert list(_codes(schedule).values()).count("node-failed") == 5


def test_failures_of_different_kinds_do_not_stop_a_plan() -> None:
    schedule = _schedule(_plan("a", 6))
    codes = ["node-failed", "late", "not-finite", "task-failed", "needs", "x"]
    _run(schedule, {f"a{k}": Failure(code, "") for k, code in enumerate(codes)})
    assert list(_codes(schedule).values()) == codes


def test_what_failed_before_is_not_tried_again() -> None:
    a = _plan("a", 5)
    failed = {one.key: BAD for one in a[:3]}
    schedule = _schedule(a, failed=failed)
    assert list(_codes(schedule).values()) == ["node-failed"] * 3 + ["plan-stopped"] * 2
    assert schedule.over
    again = _schedule(a)
    assert sum(len(batch) for batch in _run(again)) == 5


def test_a_need_that_nobody_makes_is_a_failure() -> None:
    schedule = _schedule([task("b", None, task("a", None))])
    assert _codes(schedule) == {"b": "needs-failed"}
    assert schedule.over


# ---- workers that end


def test_a_task_whose_process_ended_is_tried_again_by_itself() -> None:
    schedule = _schedule(_plan("a", 3))
    ticket, labels = _batch(schedule)
    assert labels == ["a0", "a1", "a2"]
    assert schedule.lost(Lost(ticket, KILLED, key_of("a0"))) == key_of("a0")
    ticket, labels = _batch(schedule)
    assert labels == ["a0"]
    schedule.finished(ticket, Outcome(key_of("a0")), 0.0)
    (outcome,) = schedule.settled()
    assert (outcome.failure, outcome.attempts) == (None, 2)


@pytest.mark.parametrize("code", [PROCESS_ENDED, OUT_OF_MEMORY])
def test_a_task_at_which_two_processes_ended_is_quarantined(code: str) -> None:
    schedule = _schedule(_plan("a", 40), task_seconds=100)
    ticket, labels = _batch(schedule)
    assert labels == ["a0", "a1", "a2"]
    schedule.finished(ticket, Outcome(key_of("a0")), 0.0)
    schedule.lost(Lost(ticket, Failure(code, "it ended"), key_of("a1")))
    ticket, labels = _batch(schedule)
    assert labels == ["a1"]
    assert schedule.lost(Lost(ticket, Failure(code, "it ended"), key_of("a1"))) is None
    _, outcome = schedule.settled()
    assert outcome.failure == Failure(code, "it ended, twice")
    assert outcome.attempts == 2
    assert _batch(schedule)[1][0] == "a2", "the rest of the batch is unharmed"


def test_retries_can_be_forbidden() -> None:
    schedule = _schedule(_plan("a", 1), retries=0)
    ticket, _ = _batch(schedule)
    assert schedule.lost(Lost(ticket, KILLED, key_of("a0"))) is None
    assert _codes(schedule) == {"a0": PROCESS_ENDED}


def test_a_process_that_ended_between_tasks_counts_against_the_next_one() -> None:
    schedule = _schedule(_plan("a", 1))
    for _ in range(2):
        schedule.lost(Lost(_batch(schedule)[0], KILLED))
    assert _codes(schedule) == {"a0": PROCESS_ENDED}


def test_a_lost_node_never_counts_against_a_task() -> None:
    schedule = _schedule(_plan("a", 1))
    for _ in range(9):
        ticket, _ = _batch(schedule)
        schedule.lost(Lost(ticket, Failure(NODE_LOST, "B is gone"), key_of("a0")))
    ticket, _ = _batch(schedule)
    schedule.finished(ticket, Outcome(key_of("a0")), 0.0)
    (outcome,) = schedule.settled()
    assert (outcome.failure, outcome.attempts) == (None, 10)


def test_the_first_whole_result_counts() -> None:
    schedule = _schedule(_plan("a", 1))
    ticket, _ = _batch(schedule)
    schedule.lost(Lost(ticket, Failure(NODE_LOST, "B is gone"), key_of("a0")))
    schedule.finished(ticket, Outcome(key_of("a0"), seconds=1), 0.0)
    assert schedule.over
    schedule.finished(ticket, Outcome(key_of("a0"), seconds=2), 0.0)
    assert [outcome.seconds for outcome in schedule.settled()] == [1]


# ---- deadlines


def test_a_deadline_is_ten_times_the_median_and_a_minute() -> None:
    a = _plan("a", 40, expected_s=2.0)
    schedule = _schedule(a, task_seconds=100)
    assert schedule.deadline(a[0]) == 80
    ticket, _ = _batch(schedule)
    for name, seconds in (("a0", 1.0), ("a1", 5.0)):
        schedule.finished(ticket, Outcome(key_of(name), seconds=seconds), 10.0)
    assert schedule.deadline(a[0]) == 90
    assert schedule.late(99.9) == []
    assert schedule.late(100.1) == [ticket], "it began 90 s ago, at the end of the one before"


def test_a_long_task_among_short_ones_gets_time_by_their_pace() -> None:
    short, (long,) = _plan("a", 40, expected_s=2.0), _plan("long", 1, expected_s=600.0)
    schedule = _schedule([*short, long], task_seconds=100)
    ticket, _ = _batch(schedule)
    schedule.finished(ticket, Outcome(key_of("a0"), seconds=1.0), 10.0)
    assert schedule.deadline(long) == 10 * 300 + 60
    assert schedule.deadline(short[1]) == 70


def test_a_late_task_of_a_living_worker_fails_alone() -> None:
    schedule = _schedule(_plan("a", 40), task_seconds=100, deadline=5.0)
    ticket, labels = _batch(schedule)
    assert schedule.late(5.1) == [ticket]
    assert schedule.cancelled(ticket, blamed=True) is None
    assert _codes(schedule) == {"a0": "late"}
    assert _batch(schedule)[1] == [*labels[1:], "a3"]


def test_a_task_that_went_out_of_reach_is_given_to_others() -> None:
    schedule = _schedule(_plan("a", 1), deadline=5.0)
    for _ in range(2):
        assert schedule.cancelled(_batch(schedule)[0], blamed=False) == key_of("a0")
    assert schedule.cancelled(_batch(schedule)[0], blamed=False) is None
    assert _codes(schedule) == {"a0": "late"}


# ---- results that disappear, disks that are full


def test_a_result_that_was_damaged_is_made_again() -> None:
    a = task("a", None)
    b, c = task("b", None, a), task("c", None, a)
    stored = {a.key}
    schedule = _schedule([a, b, c], stored)
    ticket, labels = _batch(schedule)
    assert labels == ["b", "c"]
    stored.clear()
    for key in (b.key, c.key):
        schedule.finished(ticket, Outcome(key, Failure("damaged-result", "")), 0.0)
    assert schedule.settled() == []
    assert [label for batch in _run(schedule) for label in batch] == ["a", "b", "c"]
    assert set(_codes(schedule).values()) == {None}


def test_a_result_that_is_damaged_again_and_again_is_a_failure() -> None:
    a = task("a", None)
    b = task("b", None, a)
    schedule = _schedule([a, b])
    _run(schedule, {"b": Failure("damaged-result", "the disk is ill")})
    assert _codes(schedule)["b"] == "damaged-result"
    assert schedule.over


def test_a_full_disk_is_nobodys_failure() -> None:
    schedule = _schedule(_plan("a", 1))
    ticket, _ = _batch(schedule)
    full = Outcome(key_of("a0"), Failure("disk-full", ""))
    assert not schedule.finished(ticket, full, 0.0)
    assert [t.label for t in schedule.open_tasks()] == ["a0"]
    assert _batch(schedule)[1] == ["a0"]


def test_the_time_left_is_that_of_what_is_open() -> None:
    schedule = _schedule([*_plan("a", 4, expected_s=3.0), *_plan("b", 2, expected_s=3.0)])
    assert schedule.progress().seconds_left == 18
    ticket, _ = _batch(schedule)
    schedule.finished(ticket, Outcome(key_of("a0"), seconds=1.0), 0.0)
    progress = schedule.progress()
    assert (progress.total, progress.done, progress.failed) == (6, 1, 0)
    assert progress.seconds_left == 5
