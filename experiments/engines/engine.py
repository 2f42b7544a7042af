"""Contract of an engine: it computes batches of tasks somewhere, and reports how each task ended.

An engine is a transport. What is to be decided (which tasks make a batch, deadlines, retries,
quarantine, when a plan is given up) is decided once for all engines, in ``schedule.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..task import Failure, Outcome, Task

if TYPE_CHECKING:
    from ..store import Store

RETURNED = "returned"
"""Code of a :class:`Lost` after :meth:`Engine.finish`: nothing failed."""
PROCESS_ENDED = "process-ended"
"""Code: the process that computed a task ended by itself or was killed. Counts against the task."""
OUT_OF_MEMORY = "out-of-memory"
"""Code: the worker took more memory than a task may. Counts against the task that it computed."""
NODE_LOST = "node-lost"
"""Code: the machine died or cannot be reached. Does not count against the task."""


@dataclass(frozen=True, slots=True)
class Remedies:
    """What to type against what ends tasks; each command that computes tasks has its own.

    Attributes:
        late: against a deadline; ``{seconds}`` is a longer one.
        memory: against a limit of memory; ``{gigabytes}`` is a higher one.
        stopped: against giving up what fails in the same way again and again.
        full: against a full disk.
        extra: the extra of voicegraph that installs the pool of processes.
        instead: how to go on without it.
    """

    late: str = "--set resources.deadline={seconds:.0f}s --retry-failed"
    memory: str = "--set resources.task_memory={gigabytes}GB --retry-failed"
    stopped: str = "--keep-going tries all"
    full: str = "make room, or name another disk in `store:`; then the same command goes on"
    extra: str = "experiment"
    instead: str = "--workers 1, which computes in this process"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a task may take, from ``resources`` of the file.

    Attributes:
        task_seconds: computing time that a batch should have.
        task_memory: resident memory of a worker in bytes; None if it is not limited.
        retries: how often a task is started again after its worker ended.
        threads: numeric threads of a worker.
        deadline: seconds after which a task is late; None takes ten times what it should take by
            the pace of its kind, and a minute.
        remedies: what to type against these limits.
    """

    task_seconds: float = 15.0
    task_memory: int | None = None
    retries: int = 2
    threads: int = 1
    deadline: float | None = None
    remedies: Remedies = Remedies()


@dataclass(frozen=True, slots=True)
class Finished:
    """A task of a batch ended: its result is in the store, or the outcome says why it is not.

    Attributes:
        ticket: of the batch.
        outcome: ``attempts`` is filled in by the scheduler.
    """

    ticket: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Lost:
    """A batch ended before all of its tasks did; the others are given out again.

    Attributes:
        ticket: of the batch.
        why: with one of the codes above.
        running: key of the task that was being computed; None if none was, or it is not known.
        host: machine of the worker.
        process: number of its process.
    """

    ticket: int
    why: Failure
    running: str | None = None
    host: str = ""
    process: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """Something that people should know, such as a node that joined. Nothing follows from it.

    Attributes:
        code: stable short name, for the journal.
        message: one sentence.
        host: the machine that it is about.
        fix: what to type.
    """

    code: str
    message: str
    host: str = ""
    fix: str | None = None


Event = Finished | Lost | Note


class Engine(Protocol):
    """Computes batches. All methods are called by one thread, in the driver's process.

    Attributes:
        name: for the journal and the manifest: ``serial``, ``processes``, ``ray``.
    """

    name: str

    def start(self, store: Store, limits: Limits) -> None:
        """Gets ready.

        Raises:
            PipelineError: if a package is missing, or workers have another version.
        """
        ...

    def slots(self, *, alone: bool = False) -> int:
        """How many batches may be submitted at once, those included that run.

        It may change as machines come and go, and be 0 for a while.

        Args:
            alone: of tasks that must be alone on their machine: one a machine. Such a batch is
                submitted only when no other batches run.
        """
        ...

    def submit(self, ticket: int, batch: Sequence[Task]) -> None:
        """Begins a batch. Its tasks are computed one after another, in this order.

        An engine gives a batch to the worker that last had its ``group``, if that one is free.

        Args:
            ticket: a number that was not used before.
            batch: tasks of one group whose needs are in the store.
        """
        ...

    def poll(self, timeout_s: float) -> Sequence[Event]:
        """Waits for events, at most so long; returns as soon as there is one.

        A batch has ended when each task of it was reported by :class:`Finished`, or after
        :class:`Lost`.

        Raises:
            DeviceError: if there is no worker any more.
        """
        ...

    def cancel(self, ticket: int) -> bool:
        """Ends a batch whose task is late, with its worker; nothing more is reported of it.

        Returns:
            Whether the worker is known to have been computing: then the task is to blame.
            False if its machine cannot be reached: then the task is given to another.
        """
        ...

    def finish(self, ticket: int) -> None:
        """Lets the task that runs end, and begins no other of this batch.

        :class:`Lost` with :data:`RETURNED` tells the end if tasks are left.
        """
        ...

    def close(self) -> None:
        """Ends all workers, at once. Nothing of ours is left behind. Safe to call twice."""
        ...
