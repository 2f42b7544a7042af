"""The engine that computes on a Ray cluster: one on this machine, or any number of machines.

Ray starts processes on machines and carries calls and objects; what runs where and when is decided
here and in ``schedule.py``. Workers are actors, not Ray's tasks: a lease that is lost while a cable
is pulled then leaves nothing open that somebody waits for.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

from voicegraph.graph.errors import (
    DeviceError,
    InputError,
    PipelineError,
    Problem,
    VoicegraphError,
)

from ..store import Store
from ..task import Failure, Outcome, Task
from ._ray_calls import Answer, Calls
from ._ray_cluster import Cluster, ProcessEndedError, RayCluster
from ._ray_fleet import Fleet, Plan, Worker
from ._ray_messages import Missing, Reply, Setup
from ._ray_supply import Supply
from .engine import (
    NODE_LOST,
    OUT_OF_MEMORY,
    PROCESS_ENDED,
    RETURNED,
    Event,
    Finished,
    Limits,
    Lost,
    Note,
)
from .execute import failure_of
from .worker_facts import packages_with_numbers, worker_facts

_SLICE_S = 0.25
_STARTS_S = 120.0
"""Without any worker for so long, a run ends."""
_OTHERS_S = 15.0
"""So long a run waits for machines that have not answered, if another is ready."""
_DOUBT_S = 5.0
"""After so long without an answer, a machine may be unreachable."""
_OFFERS = 8
"""How often a worker may ask for what a task needs."""


class Ray:
    """Computes batches on a Ray cluster.

    Args:
        address: ``local`` (a cluster of our own on this machine, which ends with the run), ``auto``
            (the one that this machine belongs to) or ``HOST:PORT``.
        workers: the most worker processes; None for one a CPU.
        packages: distributions of which workers must have our versions, besides those that
            voicegraph itself needs.
        join: makes the cluster; by default Ray's.
        clock: seconds that only grow.
    """

    name = "ray"

    def __init__(
        self,
        address: str = "auto",
        workers: int | None = None,
        *,
        packages: Iterable[str] = (),
        join: Callable[[], Cluster] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = address
        self._join = join or (lambda: RayCluster(address, workers))
        self._workers = workers
        self._packages = tuple(packages)
        self._clock = clock
        self._cluster: Cluster | None = None
        self._events: list[Event] = []
        self._begun: dict[int, Worker] = {}
        self._waiting: list[tuple[int, Sequence[Task]]] = []
        self._idle_since: float | None = None

    # ---- as the scheduler sees it

    def start(self, store: Store, limits: Limits) -> None:
        """Joins the cluster and checks its machines.

        Raises:
            PipelineError: if Ray is missing, the address is wrong, or no machine may be used.
            DeviceError: if there is no cluster.
        """
        self._cluster = self._join()
        self._store = store
        self._calls = Calls(self._cluster)
        self._supply = Supply(self._cluster, store)
        seen = copy(store)  # workers have another current folder
        seen.path = store.path.absolute()
        setup = pickle.dumps(Setup(seen, store.token(), limits))
        ours = worker_facts({*packages_with_numbers(), *self._packages})
        plan = Plan(ours, setup, limits.threads, self._workers)
        self._fleet = Fleet(
            self._cluster,
            self._calls,
            plan,
            clock=self._clock,
            on_note=self._events.append,
            on_lost=self._on_lost,
            on_ended=self._on_ended,
        )
        try:
            self._wait_for_workers()
        except BaseException:
            self.close()
            raise

    def slots(self, *, alone: bool = False) -> int:
        """Workers that may compute; for tasks that must be alone, machines that have one."""
        workers = list(self._fleet.workers())
        return len({worker.machine.node.id for worker in workers}) if alone else len(workers)

    def submit(self, ticket: int, batch: Sequence[Task]) -> None:
        """Begins a batch, or lets it wait if a machine was lost just now."""
        self._waiting.append((ticket, batch))
        self._give_out()

    def poll(self, timeout_s: float) -> Sequence[Event]:
        """Waits for events.

        Raises:
            DeviceError: if there was no worker for two minutes.
        """
        until = self._clock() + timeout_s
        while True:
            left = until - self._clock()
            self._calls.answer(max(0.0, min(_SLICE_S, left)) if not self._events else 0.0)
            self._fleet.update()
            self._give_out()
            self._require_workers()
            if self._events or left <= _SLICE_S:
                events, self._events[:] = list(self._events), []
                return events

    def cancel(self, ticket: int) -> bool:
        """Ends a batch with its worker; whether its machine answers."""
        self._waiting = [(number, batch) for number, batch in self._waiting if number != ticket]
        worker = self._begun.pop(ticket, None)
        if worker is None:
            return False
        silent_s = self._clock() - (worker.machine.asked or self._clock())
        reachable = silent_s < _DOUBT_S and worker.ended is None
        self._fleet.dismiss(worker)
        return reachable

    def finish(self, ticket: int) -> None:
        """Lets the running task end, and begins no other of the batch."""
        for number, batch in self._waiting:
            if number == ticket:
                self._waiting.remove((number, batch))
                self._events.append(Lost(ticket, Failure(RETURNED, "it was not begun")))
                return
        if worker := self._begun.get(ticket):
            worker.returning = True

    def close(self) -> None:
        """Ends our processes, and a cluster of our own."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            self._fleet.close()
            cluster.close()

    # ---- machines

    def _wait_for_workers(self) -> None:
        """Until there is a worker, and every machine has answered or had time to.

        Raises:
            PipelineError: if all machines were refused.
            DeviceError: if none has answered.
        """
        began = self._clock()
        while True:
            self._calls.answer(_SLICE_S)
            self._fleet.update()
            waited = self._clock() - began
            states = {machine.state for machine in self._fleet.machines.values()}
            if self.slots() and ("asked" not in states or waited > _OTHERS_S):
                self._idle_since = None
                return
            if states == {"refused"}:
                found = self._fleet.machines.values()
                raise PipelineError([machine.problem for machine in found if machine.problem])
            if waited > _STARTS_S or (not states and waited > _OTHERS_S):
                raise DeviceError(self._no_workers())

    def _require_workers(self) -> None:
        if self.slots() or self._events:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = self._clock()
        elif self._clock() - self._idle_since > _STARTS_S:
            raise DeviceError(self._no_workers())

    def _no_workers(self) -> Problem:
        """What is said if nobody computes, with the state of each machine."""
        notes = tuple(
            (f"{machine.name}: {machine.state}, {machine.node.cpus:.0f} CPUs", None)
            for machine in self._fleet.machines.values()
        )
        text = f"no worker of the cluster {self.address} is ready"
        text += "" if notes else ": no node of it has a CPU"
        fix = "start a node: ray start --address=HOST:PORT\nor --workers N; what is done is kept"
        return Problem("no-workers", text, notes=notes, fix=fix)

    def _on_lost(self, worker: Worker, why: str) -> None:
        self._lose(worker, NODE_LOST, f"{worker.machine.name} was lost: {why}")

    def _on_ended(self, worker: Worker) -> None:
        _, error = worker.ended or (0.0, ProcessEndedError(""))
        if error.out_of_memory:
            text = f"its process on {worker.machine.name} ended for want of memory"
            self._lose(worker, OUT_OF_MEMORY, text)
        else:
            text = f"its process on {worker.machine.name} ended: killed, or crashed"
            self._lose(worker, PROCESS_ENDED, text)

    def _lose(self, worker: Worker, code: str, text: str) -> None:
        ticket, running = worker.ticket, worker.running
        worker.ticket, worker.running = None, None
        if ticket is not None and self._begun.pop(ticket, None) is not None:
            key = running.key if running else None
            event = Lost(ticket, Failure(code, text), key, worker.machine.name, worker.pid)
            self._events.append(event)

    # ---- batches

    def _give_out(self) -> None:
        """Gives waiting batches to idle workers."""
        for ticket, batch in list(self._waiting):
            worker = self._choose(batch[0])
            if worker is None:
                continue
            self._waiting.remove((ticket, batch))
            self._begun[ticket] = worker
            worker.ticket, worker.group, worker.returning = ticket, batch[0].group, False
            worker.queue.extend(batch)
            self._next(worker)

    def _choose(self, task: Task) -> Worker | None:
        """An idle worker: best one that has the group loaded, else one that has nothing loaded."""
        idle = [worker for worker in self._fleet.workers() if worker.ticket is None]
        if task.alone:
            idle = [one for one in idle if all(w.ticket is None for w in one.machine.workers)]
        found = min(idle, key=lambda worker: _rank(worker, task), default=None)
        if found is not None and task.alone and self._workers is None and not found.machine.ours:
            text = "others hold some of its CPUs: what is measured there may be disturbed"
            self._events.append(Note("disturbed", text, found.machine.name))
        return found

    def _next(self, worker: Worker) -> None:
        """Begins the next task of a worker's batch, or ends the batch."""
        ticket = worker.ticket
        if ticket is not None and worker.returning and worker.queue:
            self._events.append(Lost(ticket, Failure(RETURNED, "the run stops")))
            worker.queue.clear()
        if not worker.queue:
            if ticket is not None:
                del self._begun[ticket]
            worker.ticket = worker.running = None
            return
        worker.running = worker.queue.popleft()
        self._request(worker, worker.running, {}, _OFFERS)

    def _request(self, worker: Worker, task: Task, offers: Mapping[str, Any], left: int) -> None:
        self._calls.make(
            worker.process,
            "run",
            pickle.dumps(task),
            dict(offers),
            then=lambda answer: self._replied(worker, task, answer, left),
        )

    def _replied(self, worker: Worker, task: Task, answer: Answer, left: int) -> None:
        if isinstance(answer, ProcessEndedError):
            self._fleet.doubt(worker, answer)
            return
        if isinstance(answer, Missing) and left:
            try:
                offers = self._supply.offers(task, answer)
            except (InputError, KeyError) as error:
                answer = Reply(Outcome(task.key, failure_of(error)))
            else:
                self._request(worker, task, offers, left - 1)
                return
        if not isinstance(answer, Reply):
            text = f"a worker on {worker.machine.name} does not keep what it is sent: {answer}"
            answer = Reply(Outcome(task.key, Failure("worker-failed", text)))
        self._finished(worker, task, answer)

    def _finished(self, worker: Worker, task: Task, reply: Reply) -> None:
        outcome = reply.outcome
        if reply.data is not None and reply.record is not None:
            try:
                record = self._store.write_bytes(task.key, reply.data, reply.record)
                outcome = replace(outcome, size=record.size)
            except VoicegraphError as error:  # such as a full disk
                outcome = Outcome(task.key, failure_of(error), outcome.seconds)
        if worker.ticket is not None:
            outcome = replace(outcome, host=worker.machine.name, process=worker.pid)
            self._events.append(Finished(worker.ticket, outcome))
        self._next(worker)


def _rank(worker: Worker, task: Task) -> tuple[bool, bool, bool]:
    """Least for the worker that should get a batch."""
    disturbed = task.alone and not worker.machine.ours
    return disturbed, worker.group != task.group, worker.group is not None
