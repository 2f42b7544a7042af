"""Runs many small jobs that write files, in the pool of experiments, with a progress bar."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicegraph.experiments.engines.schedule import DERIVED
from voicegraph.experiments.store import Record, Store
from voicegraph.experiments.task import Kind, Result, Results, Task
from voicegraph.graph.errors import Problem, VoicegraphError

from .task_pool import compute


def run_jobs(
    title: str, work: Callable[..., object], jobs: Sequence[tuple], processes: int
) -> None:
    """Calls ``work(*job)`` for all jobs, in processes of one thread each.

    Jobs are small, so two processes of one thread are faster than one process of two threads.
    A job that fails does not keep the others from being done.

    Args:
        title: of the progress bar.
        work: writes files; if ``processes`` is not 1, a function of a module.
        jobs: its arguments.
        processes: 1 computes in this process.

    Raises:
        VoicegraphError: if jobs failed, with what the first one ended with.
        KeyboardInterrupt: after Ctrl-C, when the running jobs are finished.
    """
    tasks = [_task(title, number, work, job) for number, job in enumerate(jobs)]
    failed = compute(title, tasks, _Files(Path()), processes)
    own = [(task, why) for task in tasks if (why := failed.get(task.key)) is not None]
    if not own:
        return
    task, why = next((one for one in own if one[1].code not in DERIVED), own[0])
    text = f"{title}: {len(own)} of {len(tasks)} failed: {task.label}: {why.message}"
    raise VoicegraphError(Problem(why.code, text, fix="the same command does what is missing"))


@dataclass(frozen=True, slots=True)
class _Call:
    """A job as the pool takes it."""

    work: Callable[..., object]
    arguments: tuple[Any, ...]

    def run(self, needs: Results) -> Result:
        self.work(*self.arguments)
        return Result({})

    def files(self) -> Mapping[Path, str]:
        return {}

    def with_files(self, moved: Mapping[Path, Path]) -> _Call:
        return self


class _Files(Store):
    """Takes the place of a store where jobs write files, and callers know which are missing."""

    def has(self, key: str) -> bool:
        return False

    def write_bytes(self, key: str, data: bytes, record: Record) -> Record:
        return record


def _task(title: str, number: int, work: Callable[..., object], job: tuple) -> Task:
    key = hashlib.sha256(f"{title} {number}".encode()).hexdigest()
    label = ", ".join(str(part) for part in job if isinstance(part, (str, int, Path)))
    return Task(key, Kind.INPUT, _Call(work, job), group=title, label=label)
