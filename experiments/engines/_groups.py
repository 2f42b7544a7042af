"""Groups of tasks that share what is loaded, and the states that tasks are in."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum

from ..task import Kind

NEWEST = 51
"""Durations that a median is taken of."""


class State(Enum):
    WAITING = "waits for what it needs"
    READY = "can be computed"
    RUNNING = "is in a batch"
    DONE = "its result is in the store"
    FAILED = "it has no result"


OPEN = (State.WAITING, State.READY, State.RUNNING)


@dataclass(slots=True)
class Group:
    """Tasks that share what is loaded.

    Attributes:
        kind: of its tasks.
        members: all of them, by number.
        ready: a heap of numbers; those whose state has changed meanwhile are skipped.
        waiting: number of tasks that are ready.
        open: number of tasks that have not ended.
        done: number of results.
        running: batches that run.
        begun: whether a batch of it was given out.
        failures: how often what failed in the same way.
        seconds: computing times.
    """

    kind: Kind
    members: list[int] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)
    waiting: int = 0
    open: int = 0
    done: int = 0
    running: int = 0
    begun: bool = False
    failures: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=NEWEST))
