"""Tasks: what an experiment computes, each by the key of what its result depends on.

A task is computed at most once: its result lies in the store under its key, which is made of
everything that the result depends on. Engines run tasks anywhere and in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Arrays = Mapping[str, np.ndarray]
"""Arrays by name. The sound of a task is ``audio``, float32 ``[samples]``."""


class Kind(StrEnum):
    """What a task makes. Tasks of a kind need results of earlier kinds only."""

    INPUT = "input"
    """A clip under a condition: a sound, and what is known of it."""
    CONVERT = "convert"
    """A sound converted by a plan: a sound, and ports that were asked for."""
    OBSERVE = "observe"
    """What one observer says about one sound."""
    COST = "cost"
    """Computing time and memory of a plan on a machine."""
    PAGE = "page"
    """A sound as the page plays it. It is known only when everything else is there."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a task made.

    Attributes:
        arrays: numbers; two runs of a task give the same bits.
        about: JSON values that belong to the numbers, such as the sample rate; the same bits, too.
    """

    arrays: Arrays
    about: Mapping[str, Any] = field(default_factory=dict)


class Results(Protocol):
    """Finished results by key, as a task reads them."""

    def read(self, key: str) -> Result:
        """The result.

        Raises:
            KeyError: if there is none.
        """
        ...


class Work(Protocol):
    """What a task does; it travels to workers by pickle, so it holds plain data only.

    What costs time to load (plans, networks) is kept in a cache of the worker's process.
    """

    def run(self, needs: Results) -> Result:
        """Computes the result.

        Raises:
            VoicegraphError: if it cannot be computed; the problem says why.
        """
        ...

    def files(self) -> Mapping[Path, str]:
        """Files and folders that :meth:`run` reads, with the SHA-256 of their contents.

        Paths are absolute. Files of voicegraph's own installation are not among them: a worker
        has the same ones, which was checked, and may have them in another place.
        """
        ...

    def with_files(self, moved: Mapping[Path, Path]) -> Work:
        """The same work with other paths for the same contents: those of another machine.

        Args:
            moved: new path by old one; paths that it lacks stay.
        """
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """One computation.

    Attributes:
        key: hexadecimal SHA-256 of everything that the result depends on.
        kind: what it makes.
        work: what it does.
        needs: keys of results that it reads.
        group: tasks of one group share what is loaded, so one worker does them in a row.
        label: names it for people, such as ``default, tracker=dio: 103-1240-0000``.
        expected_s: estimate of its computing time.
        alone: whether it must be the only one on its machine, as measurements of time must.
        nodes_files: files of nodes and plug-ins that a worker loads first, with their SHA-256.
    """

    key: str
    kind: Kind
    work: Work
    needs: tuple[str, ...] = ()
    group: str = ""
    label: str = ""
    expected_s: float = 1.0
    alone: bool = False
    nodes_files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task has no result.

    Attributes:
        code: stable short name, as of a problem: ``node-failed``, ``process-ended``, ``late``,
            ``out-of-memory``, ``needs-failed``, ``plan-stopped`` (not tried: too many of its plan
            failed the same way).
        message: one sentence.
        node: the node of the pipeline that failed, if it was one.
        second: where in the clip, in seconds, if it is known.
        fix: what to type.
    """

    code: str
    message: str
    node: str | None = None
    second: float | None = None
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended: its result is in the store, or there is a failure.

    Attributes:
        key: of the task.
        failure: None if it succeeded.
        seconds: computing time, of the attempt that counted.
        attempts: how often it was started.
        host: machine on which it ran.
        process: number of the process.
        size: bytes of the result in the store.
    """

    key: str
    failure: Failure | None = None
    seconds: float = 0.0
    attempts: int = 1
    host: str = ""
    process: int = 0
    size: int = 0


Progress = Callable[[Outcome], None]
"""Called after each task, in the driver's process."""
