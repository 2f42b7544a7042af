"""What the driver and its workers on a cluster send each other. All of it is pickled."""

from __future__ import annotations

from dataclasses import dataclass

from ..store import Store
from ..store.record import Record
from ..task import Outcome
from .engine import Limits


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker must know before its first task.

    Attributes:
        store: the store, by its path on the driver's machine.
        token: of that store; a worker that reads the same one there shares it.
        limits: of its tasks.
    """

    store: Store
    token: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Missing:
    """The answer of a worker that needs contents first; the request is sent again with them.

    Attributes:
        files: SHA-256 of files.
        results: keys of results.
    """

    files: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """How a task ended on a worker.

    Attributes:
        outcome: of the task.
        data: bytes of the result for the driver to store; None if it failed, or if the worker has
            written it to the shared store.
        record: of the bytes.
    """

    outcome: Outcome
    data: bytes | None = None
    record: Record | None = None
