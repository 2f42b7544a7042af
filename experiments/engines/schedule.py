"""The schedule: which task is computed next, and what follows from how one ended.

It decides the same for all engines, and knows neither processes nor clocks; :mod:`.run_tasks`
tells it what happened, and when.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from ..task import Failure, Kind, Outcome, Task
from ._groups import NEWEST, OPEN, Group, State
from .engine import NODE_LOST, OUT_OF_MEMORY, PROCESS_ENDED, Limits, Lost

LATE = "late"
NEEDS_FAILED = "needs-failed"
PLAN_STOPPED = "plan-stopped"
DISK_FULL = "disk-full"
DERIVED = frozenset({NEEDS_FAILED, PLAN_STOPPED})
"""Codes of failures that follow from others: nothing was tried."""

_EQUAL_FAILURES = 3
"""So many of a group that fail the same way, and outnumber its successes, stop it."""
_KILLS = 2
"""So many processes may end at a task until it is quarantined."""
_REMADE = 3
"""How often a result that disappears is made again."""
_FIRST_BATCH = 3
"""Tasks of the first batch of a group, of which nothing is known yet."""
_LATE_FACTOR = 10
_LATE_MORE_S = 60.0
_ORDER = {kind: number for number, kind in enumerate(Kind)}


@dataclass(slots=True)
class _Batch:
    """A batch that runs.

    Attributes:
        group: of its tasks.
        tasks: that have not ended, by number, in order; the first is the one that is computed.
        since: when that one began.
        alone: whether it is of tasks that must be alone.
    """

    group: Group
    tasks: list[int]
    since: float
    alone: bool


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """How far a run is.

    Attributes:
        total: number of tasks.
        stored: results that were there before.
        done: results that were computed.
        failed: tasks that failed.
        untried: tasks that were not tried because others failed.
        seconds_left: computing time of the rest by one worker, as far as it can be foreseen.
    """

    total: int
    stored: int
    done: int
    failed: int
    untried: int
    seconds_left: float


class Schedule:
    """Decides what is computed next.

    Args:
        tasks: all tasks, each key once.
        stored: whether the result of a key is in the store.
        limits: of a task.
        failed: tasks that failed in earlier runs, and are not tried again.
        keep_going: do not stop a group of which several tasks fail the same way.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        stored: Callable[[str], bool],
        limits: Limits,
        *,
        failed: Mapping[str, Failure] | None = None,
        keep_going: bool = False,
    ) -> None:
        self._tasks = list(tasks)
        self._number = {task.key: number for number, task in enumerate(self._tasks)}
        self._stored, self._limits, self._keep_going = stored, limits, keep_going
        self._state = [State.WAITING] * len(self._tasks)
        self._unmet = [0] * len(self._tasks)
        self._dependents: defaultdict[str, list[int]] = defaultdict(list)
        self._groups: dict[tuple[Kind, str], Group] = {}
        self._batches: dict[int, _Batch] = {}
        self._tickets = 0
        self._again: deque[int] = deque()
        self._tries: Counter[int] = Counter()
        self._kills: Counter[int] = Counter()
        self._remade: Counter[int] = Counter()
        self._seconds: dict[Kind, deque[float]] = {kind: deque(maxlen=NEWEST) for kind in Kind}
        self._pace: dict[Kind, deque[float]] = {kind: deque(maxlen=NEWEST) for kind in Kind}
        self._settled: list[Outcome] = []
        self._before = self._done = self._failed = self._untried = 0
        self._begin(failed or {})

    # ---- what is asked

    @property
    def over(self) -> bool:
        """Whether no task is left, and none runs."""
        return not self._batches and not any(group.open for group in self._groups.values())

    @property
    def running(self) -> Sequence[int]:
        """Tickets of the batches that run."""
        return list(self._batches)

    def settled(self) -> list[Outcome]:
        """How tasks ended, each once, since the last call."""
        found, self._settled = self._settled, []
        return found

    def open_tasks(self) -> list[Task]:
        """Tasks that have not ended."""
        return [self._tasks[n] for n, state in enumerate(self._state) if state in OPEN]

    def progress(self) -> TaskProgress:
        """How far it is."""
        left = sum(self._expected(group) * group.open for group in self._groups.values())
        return TaskProgress(
            len(self._tasks), self._before, self._done, self._failed, self._untried, left
        )

    def task(self, key: str) -> Task:
        """The task of a key."""
        return self._tasks[self._number[key]]

    def current(self, ticket: int) -> Task:
        """The task of a batch that is being computed."""
        return self._tasks[self._batches[ticket].tasks[0]]

    # ---- what is computed next

    def next_batch(self, slots: int, alone_slots: int, now: float) -> tuple[int, list[Task]] | None:
        """The next batch, and its ticket; None if none can begin now.

        Args:
            slots: batches that may run at once.
            alone_slots: as many of tasks that must be alone.
            now: in seconds.
        """
        if any(batch.alone for batch in self._batches.values()):
            found = self._alone() if len(self._batches) < alone_slots else None
            return None if found is None else self._give(found, now, alone=True)
        if len(self._batches) >= slots:
            return None
        if (found := self._retry() or self._ordinary(slots)) is not None:
            return self._give(found, now, alone=False)
        if self._batches or alone_slots < 1 or (found := self._alone()) is None:
            return None
        return self._give(found, now, alone=True)

    def _give(self, numbers: list[int], now: float, *, alone: bool) -> tuple[int, list[Task]]:
        for number in numbers:
            self._set(number, State.RUNNING)
        group = self._group(numbers[0])
        group.running += 1
        group.begun = True
        self._tickets += 1
        self._batches[self._tickets] = _Batch(group, list(numbers), now, alone)
        return self._tickets, [self._tasks[number] for number in numbers]

    def _retry(self) -> list[int] | None:
        """A task whose process ended, in a batch of its own."""
        while self._again:
            number = self._again.popleft()
            if self._state[number] is State.READY:
                return [number]
        return None

    def _ordinary(self, slots: int) -> list[int] | None:
        """A batch of the group for which it is time."""
        groups = [
            (group, self._expected(group))
            for group in self._groups.values()
            if group.waiting and not self._tasks[group.members[0]].alone
        ]
        if not groups:
            return None
        left = sum(self._expected(group) * group.open for group in self._groups.values())
        # Batches become shorter towards the end, so that all workers end together.
        share = left / (2 * slots) if slots > 1 else left
        seconds = min(self._limits.task_seconds, share)
        group, each = min(groups, key=lambda pair: self._urgency(*pair))
        most = max(1, int(seconds / max(each, 1e-6)))
        return self._pop(group, most if group.done else min(most, _FIRST_BATCH))

    def _urgency(self, group: Group, each: float) -> tuple[bool, bool, int, bool, int]:
        """Least first.

        Groups that have enough for a batch come first, and of those the later kinds: so cells are
        finished early, and what a group needs is loaded seldom.
        """
        whole = group.waiting == group.open or group.waiting * each >= self._limits.task_seconds
        order = -_ORDER[group.kind]
        return not whole, group.running > 0, order, not group.begun, group.members[0]

    def _alone(self) -> list[int] | None:
        for group in self._groups.values():
            if group.waiting and self._tasks[group.members[0]].alone:
                most = max(1, int(self._limits.task_seconds / max(self._expected(group), 1e-6)))
                return self._pop(group, most)
        return None

    def _pop(self, group: Group, most: int) -> list[int]:
        found: list[int] = []
        while group.ready and len(found) < most:
            number = heapq.heappop(group.ready)
            if self._state[number] is State.READY and number not in found:
                found.append(number)
        return found

    # ---- what happened

    def finished(self, ticket: int, outcome: Outcome, now: float) -> bool:
        """A task of a batch ended.

        Returns:
            False if the disk is full, so that the task is still to be done.
        """
        number = self._number[outcome.key]
        if (batch := self._batches.get(ticket)) is not None and number in batch.tasks:
            batch.tasks.remove(number)
            batch.since = now
            if not batch.tasks:
                self._end(ticket)
        if self._state[number] not in OPEN:
            return True  # another was quicker
        failure = outcome.failure
        if failure is None:
            self._succeed(number, replace(outcome, attempts=self._tries[number] + 1))
        elif failure.code == DISK_FULL:
            self._make_ready(number)
            return False
        elif not self._remake_needs(number):
            self._fail(number, replace(outcome, attempts=self._tries[number] + 1))
        return True

    def lost(self, event: Lost) -> str | None:
        """A batch ended early.

        Returns:
            Key of the task that is tried again because of it; None if there is none.
        """
        if (batch := self._end(event.ticket)) is None:
            return None
        code = event.why.code
        number = self._number.get(event.running) if event.running is not None else None
        if number is None and code in (PROCESS_ENDED, OUT_OF_MEMORY):
            number = batch.tasks[0]
        for other in batch.tasks:
            if other != number:
                self._make_ready(other)
        if number is None or self._state[number] not in OPEN:
            return None
        self._tries[number] += 1
        if code in (PROCESS_ENDED, OUT_OF_MEMORY):
            self._kills[number] += 1
            if self._kills[number] >= min(_KILLS, self._limits.retries + 1):
                times = ", twice" if self._kills[number] > 1 else ""
                why = replace(event.why, message=event.why.message + times)
                self._give_up(number, why, event.host, event.process)
                return None
        self._try_again(number, by_itself=code != NODE_LOST)
        return self._tasks[number].key

    def late(self, now: float) -> list[int]:
        """Tickets of batches whose task takes too long."""
        return [
            ticket
            for ticket, batch in self._batches.items()
            if now - batch.since > self.deadline(self._tasks[batch.tasks[0]])
        ]

    def deadline(self, task: Task) -> float:
        """Seconds that a task may take: ten times what it should take, and a minute.

        It should take what others like it take, or, by their pace, what was expected of it: a
        recording of an hour takes longer than all others.
        """
        if self._limits.deadline is not None:
            return self._limits.deadline
        group, pace = self._groups[task.kind, task.group], self._pace[task.kind]
        known = [median(found) for found in (group.seconds, self._seconds[task.kind]) if found]
        known.append(task.expected_s * (median(pace) if pace else 1.0))
        return _LATE_FACTOR * max(known) + _LATE_MORE_S

    def cancelled(self, ticket: int, *, blamed: bool) -> str | None:
        """A batch was cancelled because its task is late.

        Args:
            ticket: of the batch.
            blamed: whether its worker was computing; else it could not be reached.

        Returns:
            Key of the task if it is tried again.
        """
        number = self._batches[ticket].tasks[0]
        most = self.deadline(self._tasks[number])
        batch = self._end(ticket)
        assert batch is not None
        for other in batch.tasks[1:]:
            self._make_ready(other)
        self._tries[number] += 1
        if blamed or self._tries[number] > self._limits.retries:
            text = f"it was not done after {most:.0f} s"
            if self._limits.deadline is None:
                text += ", ten times what it should take by the pace of others and a minute"
            fix = self._limits.remedies.late.format(seconds=2 * most)
            self._give_up(number, Failure(LATE, text, fix=fix))
            return None
        self._try_again(number, by_itself=True)
        return self._tasks[number].key

    def _try_again(self, number: int, *, by_itself: bool) -> None:
        self._make_ready(number)
        if by_itself and not self._tasks[number].alone:
            self._again.append(number)

    # ---- ends

    def _succeed(self, number: int, outcome: Outcome) -> None:
        task, group = self._tasks[number], self._group(number)
        self._set(number, State.DONE)
        group.done += 1
        group.seconds.append(outcome.seconds)
        self._seconds[task.kind].append(outcome.seconds)
        if task.expected_s > 0:
            self._pace[task.kind].append(outcome.seconds / task.expected_s)
        self._done += 1
        self._settled.append(outcome)
        for dependent in self._dependents[task.key]:
            self._unmet[dependent] -= 1
            if self._state[dependent] is State.WAITING and self._unmet[dependent] == 0:
                self._make_ready(dependent)

    def _give_up(self, number: int, why: Failure, host: str = "", process: int = 0) -> None:
        key, attempts = self._tasks[number].key, self._tries[number]
        self._fail(number, Outcome(key, why, attempts=attempts, host=host, process=process))

    def _fail(self, number: int, outcome: Outcome) -> None:
        """Ends a task without a result, all that need it, and perhaps its group."""
        task, group, why = self._tasks[number], self._group(number), outcome.failure
        assert why is not None
        self._set(number, State.FAILED)
        self._settled.append(outcome)
        self._fail_dependents(task, why)
        if why.code in DERIVED:
            self._untried += 1
        else:
            self._failed += 1
            group.failures[why.code, why.node] += 1
            self._stop_hopeless(task, group)

    def _fail_dependents(self, task: Task, why: Failure) -> None:
        what = (
            why.message if why.code in DERIVED else f"{task.label or task.key[:12]}: {why.message}"
        )
        derived = Failure(NEEDS_FAILED, what, why.node, why.second, why.fix)
        for dependent in self._dependents[task.key]:
            if self._state[dependent] in (State.WAITING, State.READY):
                self._fail(dependent, Outcome(self._tasks[dependent].key, derived, attempts=0))

    def _stop_hopeless(self, task: Task, group: Group) -> None:
        """Gives a group up if its tasks fail the same way again and again."""
        if self._keep_going or not task.group:
            return
        (code, node), times = group.failures.most_common(1)[0]
        if times < _EQUAL_FAILURES or times <= group.done:
            return
        at = f" at node {node}" if node else ""
        text = f"not tried: {times} others like it ended with {code}{at}"
        why = Failure(PLAN_STOPPED, text, node, fix=self._limits.remedies.stopped)
        for number in group.members:
            if self._state[number] in (State.WAITING, State.READY):
                self._fail(number, Outcome(self._tasks[number].key, why, attempts=0))

    def _remake_needs(self, number: int) -> bool:
        """Whether a task failed because a result that it needs is gone; then that is made again."""
        gone = [need for need in self._tasks[number].needs if not self._stored(need)]
        if not gone or any(need not in self._number for need in gone):
            return False
        numbers = [self._number[need] for need in gone]
        if any(self._remade[n] >= _REMADE or self._state[n] is State.FAILED for n in numbers):
            return False
        self._set(number, State.WAITING)
        for need in numbers:
            self._reopen(need)
        return True

    def _reopen(self, number: int) -> None:
        """Makes a result again that was there."""
        if self._state[number] is not State.DONE:
            return
        task, group = self._tasks[number], self._group(number)
        self._remade[number] += 1
        group.done -= 1
        self._set(number, State.WAITING)
        for dependent in self._dependents[task.key]:
            self._unmet[dependent] += 1
            if self._state[dependent] is State.READY:
                self._set(dependent, State.WAITING)
        for need in task.needs:
            if need in self._number and not self._stored(need):
                self._reopen(self._number[need])
        if self._unmet[number] == 0:
            self._make_ready(number)

    # ---- states

    def _begin(self, failed: Mapping[str, Failure]) -> None:
        """Takes what is in the store, and what is known to fail."""
        for number, task in enumerate(self._tasks):
            group = self._groups.setdefault((task.kind, task.group), Group(task.kind))
            group.members.append(number)
            group.open += 1
            for need in task.needs:
                self._dependents[need].append(number)
        for number, task in enumerate(self._tasks):
            if self._stored(task.key):
                self._set(number, State.DONE)
                self._group(number).done += 1
                self._before += 1
        for number, task in enumerate(self._tasks):
            self._unmet[number] = sum(not self._is_met(need) for need in task.needs)
        for number, task in enumerate(self._tasks):
            if self._state[number] is State.WAITING and task.key in failed:
                self._fail(number, Outcome(task.key, failed[task.key]))
        for number, task in enumerate(self._tasks):
            if self._state[number] is not State.WAITING:
                continue
            if any(need not in self._number and not self._is_met(need) for need in task.needs):
                text = "what it needs is neither in the store nor a task"
                self._fail(number, Outcome(task.key, Failure(NEEDS_FAILED, text), attempts=0))
            elif self._unmet[number] == 0:
                self._make_ready(number)

    def _is_met(self, need: str) -> bool:
        number = self._number.get(need)
        return self._stored(need) if number is None else self._state[number] is State.DONE

    def _make_ready(self, number: int) -> None:
        """Puts a task where the next batch is taken from, unless it ended meanwhile."""
        if self._state[number] in OPEN:
            self._set(number, State.READY)
            heapq.heappush(self._group(number).ready, number)

    def _set(self, number: int, state: State) -> None:
        """Changes a state, and the numbers of its group."""
        group, before = self._group(number), self._state[number]
        group.waiting += (state is State.READY) - (before is State.READY)
        group.open += (state in OPEN) - (before in OPEN)
        self._state[number] = state

    def _end(self, ticket: int) -> _Batch | None:
        """Takes a batch out; None if it has ended."""
        batch = self._batches.pop(ticket, None)
        if batch is not None:
            batch.group.running -= 1
        return batch

    def _group(self, number: int) -> Group:
        task = self._tasks[number]
        return self._groups[task.kind, task.group]

    def _expected(self, group: Group) -> float:
        """Seconds that one task of a group takes."""
        for known in (group.seconds, self._seconds[group.kind]):
            if known:
                return median(known)
        return self._tasks[group.members[0]].expected_s
