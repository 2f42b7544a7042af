"""The engine that computes in processes of this machine, which fail alone.

Each worker is a pool of one process (pebble), and gets one task after another: so the task that a
process died of is known, and a batch stays with the worker that has loaded what it needs.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from socket import gethostname
from threading import Thread
from typing import TYPE_CHECKING, Any

from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.graph.machine import cores
from voicegraph.graph.optional_packages import is_installed, missing_package

from ..task import Failure, Outcome, Task
from ._watchdog import OUT_OF_MEMORY_EXIT
from .engine import PROCESS_ENDED, RETURNED, Event, Finished, Limits, Lost, Remedies
from .execute import (
    execute_into,
    out_of_memory,
    prepare_worker,
    thread_settings,
    worker_limits,
)

if TYPE_CHECKING:
    from pebble import ProcessPool

    from ..store import Store


@dataclass(slots=True)
class _Worker:
    """A place for a process.

    Attributes:
        pool: of one process; None before the first batch, and after its process was ended.
        group: of its newest batch: what it has loaded.
        ticket: of the batch that it computes.
        tasks: of that batch that have not begun.
        running: the task that it computes; None if it is idle.
        future: of that task.
        returned: whether tasks of the batch were taken back.
    """

    pool: ProcessPool | None = None
    group: str = ""
    ticket: int = -1
    tasks: deque[Task] = field(default_factory=deque)
    running: Task | None = None
    future: Future[Any] | None = None
    returned: bool = False


class Processes:
    """Computes in ``workers`` processes, each with ``Limits.threads`` numeric threads.

    Args:
        workers: number of processes; None for one per core.
    """

    name = "processes"

    def __init__(self, workers: int | None = None) -> None:
        self._workers = [_Worker() for _ in range(workers or cores())]
        self._done: SimpleQueue[tuple[_Worker, Future[Any]]] = SimpleQueue()
        self._events: deque[Event] = deque()
        self._ending: list[Thread] = []
        self._settings = ExitStack()
        self._store: Store | None = None
        self._limits = Limits()

    def start(self, store: Store, limits: Limits) -> None:
        """Checks that pebble is there. Processes start with their first batch."""
        if not is_installed("pebble"):
            raise PipelineError(missing_pool(limits.remedies))
        self._store, self._limits = store, worker_limits(limits, len(self._workers))
        self._settings.enter_context(thread_settings(limits.threads))

    def slots(self, *, alone: bool = False) -> int:
        """One a process; alone, one a machine."""
        return 1 if alone else len(self._workers)

    def submit(self, ticket: int, batch: Sequence[Task]) -> None:
        """Gives the batch to the idle worker that knows its group, or to any idle one."""
        idle = [worker for worker in self._workers if worker.running is None]
        # Among the others, one whose process runs already.
        idle.sort(key=lambda w: (w.group != batch[0].group, w.pool is None))
        worker = idle[0]
        worker.ticket, worker.group, worker.tasks = ticket, batch[0].group, deque(batch)
        self._begin_next(worker)

    def poll(self, timeout_s: float) -> Sequence[Event]:
        """Takes what workers report, and gives them their next tasks."""
        timeout = 0.0 if self._events else timeout_s
        with suppress(Empty):
            while True:
                worker, future = self._done.get(timeout=timeout)
                timeout = 0.0
                if worker.future is future:
                    ticket = worker.ticket
                    self._events.append(self._event(worker, future))
                    if worker.returned and worker.running is None:
                        worker.returned = False
                        self._events.append(Lost(ticket, Failure(RETURNED, "not begun")))
        events = list(self._events)
        self._events.clear()
        return events

    def cancel(self, ticket: int) -> bool:
        """Replaces the worker, in the background: a process that hangs may take seconds to end."""
        for worker in self._of(ticket):
            self._replace(worker)
        return True

    def finish(self, ticket: int) -> None:
        """Takes back what has not begun."""
        for worker in self._of(ticket):
            worker.returned = bool(worker.tasks)
            worker.tasks.clear()

    def close(self) -> None:
        """Ends all processes, and waits for their ends."""
        for worker in self._workers:
            self._replace(worker)
        for thread in self._ending:
            thread.join()
        self._ending.clear()
        self._settings.close()

    def _of(self, ticket: int) -> list[_Worker]:
        return [w for w in self._workers if w.ticket == ticket and w.running is not None]

    def _begin_next(self, worker: _Worker) -> None:
        """Sends a worker the next task of its batch."""
        with _without_interrupts():  # pools start processes when they are first used
            if worker.pool is None or not worker.pool.active:  # its process ended while it was idle
                self._replace(worker, keep_tasks=True)
                worker.pool = _pool(self._limits)
            worker.running = worker.tasks.popleft()
            arguments = (worker.running, self._store)
            worker.future = worker.pool.schedule(execute_into, args=arguments)
        worker.future.add_done_callback(lambda future: self._done.put((worker, future)))

    def _event(self, worker: _Worker, future: Future[Any]) -> Event:
        """What the end of a task means; begins the next one of the batch."""
        task, ticket = worker.running, worker.ticket
        assert task is not None
        worker.running = worker.future = None
        error = CancelledError() if future.cancelled() else future.exception()
        if error is not None and not _is_unsendable(error):
            worker.tasks.clear()
            process = getattr(error, "pid", None) or 0
            why = _end_of(error, self._limits)
            return Lost(ticket, why, task.key, gethostname(), process)
        outcome = future.result() if error is None else _unsendable(task, error)
        if worker.tasks:
            self._begin_next(worker)
        return Finished(ticket, outcome)

    def _replace(self, worker: _Worker, *, keep_tasks: bool = False) -> None:
        """Ends the process of a worker."""
        if not keep_tasks:
            worker.tasks.clear()
        worker.running = worker.future = None
        pool, worker.pool = worker.pool, None
        if pool is not None:
            thread = Thread(target=_end, args=(pool,), name="ends a worker", daemon=True)
            thread.start()
            self._ending.append(thread)


def missing_pool(remedies: Remedies) -> Problem:
    """The problem that the package of the pool is not installed."""
    extra, instead = remedies.extra, remedies.instead
    return missing_package("computing in processes", "pebble", extra=extra, instead=instead)


def _pool(limits: Limits) -> ProcessPool:
    from pebble import ProcessPool

    context: Any = multiprocessing.get_context("spawn")  # pebble's type of it fits Unix only
    return ProcessPool(
        max_workers=1, initializer=prepare_worker, initargs=(limits,), context=context
    )


def _end(pool: ProcessPool) -> None:
    pool.stop()
    pool.join()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes and threads that start in this block never see Ctrl-C, not even as they start.

    What a terminal sends goes to all processes of a command. Windows has no such block.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # the first process would start it, which ends any block
    ours = {signal.SIGINT, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ours)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_unsendable(error: BaseException) -> bool:
    """Whether a task could not be sent, or its outcome not be sent back."""
    return isinstance(error, (pickle.PickleError, TypeError, AttributeError))


def _unsendable(task: Task, error: BaseException) -> Outcome:
    text = str(error).partition("\n")[0]
    return Outcome(task.key, Failure("task-failed", f"it cannot be sent to a worker: {text}"))


def _end_of(error: BaseException, limits: Limits) -> Failure:
    """Why a process ended."""
    code = getattr(error, "exitcode", None)
    if code == OUT_OF_MEMORY_EXIT:
        return out_of_memory(limits)
    if isinstance(code, int) and code < 0:
        return Failure(PROCESS_ENDED, f"its process ended by {signal_name(-code)}")
    what = f"with exit code {code}" if isinstance(code, int) else f"as it started: {error}"
    return Failure(PROCESS_ENDED, f"its process ended {what}")


def signal_name(number: int) -> str:
    """``signal 9 (SIGKILL)``."""
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
