"""Machines of a cluster and our workers on them: joined, checked, watched, lost, found again.

Ray alone does not suffice to notice that a machine is gone: by its defaults it takes most of a
minute, and calls that were just being handed over may stay open for ever (ray#63405). So a monitor
on each machine is asked every few seconds, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from voicegraph.graph.errors import Problem

from ..task import Task
from ._ray_calls import Answer, Calls
from ._ray_cluster import Cluster, ClusterNode, ProcessEndedError, WorkerError
from .engine import Note
from .worker_facts import WorkerFacts, mismatch

PING_EVERY_S = 2.0
SILENT_S = 20.0
"""A machine that answers nothing for so long is lost, until it answers again."""
STARTS_S = 90.0
"""What the first answer may take: a process must be started, and Python."""
AGAIN_S = 10.0
"""After so long, a lost machine that Ray takes for alive is asked again."""
_FAILED_STARTS = 3


State = Literal["asked", "usable", "refused", "lost", "dead"]


@dataclass(eq=False)
class Worker:
    """A process that computes.

    Attributes:
        process: of the cluster.
        machine: on which it runs.
        pid: its number there; 0 before it is ready.
        ticket: of the batch that it computes; None if it is idle.
        queue: tasks of the batch that were not begun.
        running: the task that is being computed.
        group: of its last batch.
        returning: whether it begins no other task of its batch.
        ended: when it ended by itself, and how, until its machine has shown that it is there.
    """

    process: Any
    machine: Machine
    pid: int = 0
    ticket: int | None = None
    queue: deque[Task] = field(default_factory=deque)
    running: Task | None = None
    group: str | None = None
    returning: bool = False
    ended: tuple[float, ProcessEndedError] | None = None

    @property
    def ready(self) -> bool:
        """Whether it may compute."""
        return self.pid > 0 and self.machine.state == "usable" and self.ended is None


@dataclass(eq=False)
class Machine:
    """A node of the cluster.

    Attributes:
        node: as Ray knows it.
        monitor: our process that answers for it.
        state: ``asked`` until its facts came; ``refused`` and ``dead`` for good.
        since: when it got into this state.
        answered: when it last answered.
        asked: when it was last asked; None if it has answered.
        threads: CPUs of a worker.
        workers: our workers.
        problem: why it is refused.
        failed_starts: of workers, in a row.
        welcomed: whether it was told that it computes.
        again: whether it is asked again after it was lost.
    """

    node: ClusterNode
    monitor: Any
    state: State
    since: float
    answered: float
    asked: float | None = None
    threads: int = 1
    workers: list[Worker] = field(default_factory=list)
    problem: Problem | None = None
    failed_starts: int = 0
    welcomed: bool = False
    again: bool = False

    @property
    def name(self) -> str:
        """For people."""
        return self.node.name

    @property
    def ours(self) -> bool:
        """Whether our workers hold all of its CPUs, so that nobody else computes there."""
        held = sum(self.threads for worker in self.workers if worker.ready)
        return held + self.threads > self.node.cpus


@dataclass(frozen=True)
class Plan:
    """What a fleet is started with.

    Attributes:
        ours: facts of the driver.
        setup: a pickled :class:`Setup`.
        threads: CPUs of a worker.
        workers: the most that are started; None for as many as there are CPUs.
    """

    ours: WorkerFacts
    setup: bytes
    threads: int = 1
    workers: int | None = None


class Fleet:
    """The machines of a cluster.

    Args:
        cluster: the cluster.
        calls: open calls.
        plan: what it is started with.
        clock: seconds.
        on_note: told what a user should know.
        on_lost: told of a worker that went with its machine, and why.
        on_ended: told of a worker that ended by itself, with ``ended`` set.

    Attributes:
        machines: by the node's id.
    """

    def __init__(
        self,
        cluster: Cluster,
        calls: Calls,
        plan: Plan,
        *,
        clock: Callable[[], float],
        on_note: Callable[[Note], None],
        on_lost: Callable[[Worker, str], None],
        on_ended: Callable[[Worker], None],
    ) -> None:
        self._cluster = cluster
        self._calls = calls
        self._plan = plan
        self._clock = clock
        self._note = on_note
        self._lost = on_lost
        self._ended = on_ended
        self.machines: dict[str, Machine] = {}
        self._hired = 0

    def workers(self) -> Iterator[Worker]:
        """All workers that may compute."""
        for machine in self.machines.values():
            yield from (worker for worker in machine.workers if worker.ready)

    def update(self) -> None:
        """Takes note of machines that came or went, and asks whether the others are there."""
        for node in self._cluster.nodes():
            known = self.machines.get(node.id)
            if known is None and node.alive and node.cpus >= self._plan.threads:
                self._ask(node)
            elif known is not None and not node.alive:
                self._lose(known, "Ray has declared it dead", "dead")
        for machine in list(self.machines.values()):
            self._watch(machine)

    def dismiss(self, worker: Worker) -> None:
        """Ends a worker; another takes its place when its machine answers next."""
        self._end(worker)
        self._probe(worker.machine)

    def doubt(self, worker: Worker, error: ProcessEndedError) -> None:
        """A worker ended: its machine is asked first, since it may have ended with it."""
        worker.ended = self._clock(), error
        self._probe(worker.machine)

    def close(self) -> None:
        """Ends all processes."""
        for machine in self.machines.values():
            self._dismiss(machine)
        self.machines.clear()

    # ---- machines

    def _ask(self, node: ClusterNode, *, again: bool = False) -> None:
        now = self._clock()
        monitor = self._cluster.begin(node.id, 0)
        machine = Machine(node, monitor, "asked", now, now, now, self._plan.threads)
        machine.again = again
        self.machines[node.id] = machine
        packages = list(self._plan.ours.packages)
        self._calls.make(
            machine.monitor, "facts", packages, then=lambda answer: self._check(machine, answer)
        )

    def _check(self, machine: Machine, facts: Answer) -> None:
        if isinstance(facts, (ProcessEndedError, WorkerError)):
            self._lose(machine, "its monitor ended", "lost")
            return
        problem = mismatch(self._plan.ours, facts, machine.name)
        if problem is not None:
            self._refuse(machine, problem)
            return
        machine.answered, machine.asked = self._clock(), None
        self._enter(machine, "usable")
        if facts["cpu"] != self._plan.ours.cpu:
            text = f"it has another processor ({facts['cpu']}): last bits may differ"
            self._note(Note("other-processor", text, machine.name))
        self._fill(machine)

    def _watch(self, machine: Machine) -> None:
        now = self._clock()
        if machine.state in ("asked", "usable") and machine.asked is not None:
            allowed = STARTS_S if machine.state == "asked" else SILENT_S
            if now - machine.asked > allowed:
                self._lose(machine, f"it has not answered for {allowed:.0f} s", "lost")
        elif machine.state == "usable" and now - machine.answered > PING_EVERY_S:
            self._ping(machine)
        elif machine.state == "lost" and now - machine.since > AGAIN_S:
            self._ask(machine.node, again=True)

    def _probe(self, machine: Machine) -> None:
        if machine.state == "usable":  # an older question may have been answered before
            self._ping(machine)

    def _ping(self, machine: Machine) -> None:
        asked = self._clock()
        machine.asked = machine.asked or asked
        ended = [worker.pid for worker in machine.workers if worker.ended]
        self._calls.make(
            machine.monitor,
            "ping",
            ended,
            then=lambda answer: self._answered(machine, asked, answer),
        )

    def _answered(self, machine: Machine, asked: float, answer: Answer) -> None:
        if isinstance(answer, ProcessEndedError):
            self._lose(machine, "its monitor ended", "lost")
            return
        machine.answered, machine.asked = self._clock(), None
        for worker in list(machine.workers):
            if worker.ended is not None and worker.ended[0] <= asked:
                error = worker.ended[1]
                error.out_of_memory |= not isinstance(answer, WorkerError) and worker.pid in answer
                self._ended(worker)
                self._end(worker)
        if machine.failed_starts < _FAILED_STARTS:
            self._fill(machine)
            return
        text = f"workers on {machine.name} end before their first task"
        self._refuse(machine, Problem("worker-start", text))

    def _lose(self, machine: Machine, why: str, state: Literal["lost", "dead"]) -> None:
        if machine.state in ("lost", "dead", "refused"):
            machine.state = "dead" if state == "dead" else machine.state
            return
        if machine.state != "asked" or not machine.again:  # it was told before
            self._note(Note("node-lost", why, machine.name))
        self._enter(machine, state)
        for worker in machine.workers:
            self._lost(worker, why)
        self._dismiss(machine)

    def _refuse(self, machine: Machine, problem: Problem) -> None:
        machine.problem = problem
        self._enter(machine, "refused")
        self._note(Note(problem.code, problem.message, machine.name, problem.fix))
        self._dismiss(machine)

    def _enter(self, machine: Machine, state: State) -> None:
        machine.state, machine.since = state, self._clock()

    def _dismiss(self, machine: Machine) -> None:
        for worker in list(machine.workers):
            self._end(worker)
        self._calls.forget(machine.monitor)
        self._cluster.end(machine.monitor)

    # ---- workers

    def _fill(self, machine: Machine) -> None:
        """Starts as many workers as the machine has CPUs."""
        while len(machine.workers) < machine.node.cpus // self._plan.threads:
            if self._plan.workers is not None and self._hired >= self._plan.workers:
                return
            self._hire(machine)

    def _hire(self, machine: Machine) -> None:
        self._hired += 1
        process = self._cluster.begin(machine.node.id, self._plan.threads)
        worker = Worker(process, machine)
        machine.workers.append(worker)
        self._calls.make(
            process, "start", self._plan.setup, then=lambda answer: self._started(worker, answer)
        )

    def _started(self, worker: Worker, answer: Answer) -> None:
        machine = worker.machine
        if isinstance(answer, WorkerError):
            text = f"a worker on {machine.name} cannot start: {answer}"
            self._refuse(machine, Problem("worker-start", text))
        elif isinstance(answer, ProcessEndedError):
            machine.failed_starts += 1
            self.doubt(worker, answer)
        else:
            worker.pid, shared = answer
            machine.failed_starts = 0
            self._welcome(machine, shared=shared)

    def _welcome(self, machine: Machine, *, shared: bool) -> None:
        if machine.welcomed:
            return
        machine.welcomed = True
        how = "sees the store" if shared else "gets files and results by content"
        number = len(machine.workers)
        text = f"it computes: {number} worker{'s' if number != 1 else ''}, {how}"
        self._note(Note("node-joined", text, machine.name))

    def _end(self, worker: Worker) -> None:
        self._hired -= 1
        worker.machine.workers.remove(worker)
        self._calls.forget(worker.process)
        self._cluster.end(worker.process)
