"""Computes tasks with a progress bar: the pool, the schedule and the store of experiments.

A task that raises, hangs, or kills its process fails alone, and whatever was computed is never
computed again. docs/design.md says how.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from voicegraph.experiments.engines.engine import Engine, Limits, Remedies
from voicegraph.experiments.engines.journal import Journal, known_failures
from voicegraph.experiments.engines.processes import Processes, missing_pool
from voicegraph.experiments.engines.run_tasks import TaskRun
from voicegraph.experiments.engines.serial import Serial
from voicegraph.experiments.engines.stop_request import stop_by_ctrl_c
from voicegraph.experiments.store import Store
from voicegraph.experiments.task import Failure, Task
from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.memory_budget import machine_bytes
from voicegraph.graph.optional_packages import is_installed

from .progress import progress_bar

_MEMORY_SHARE = 0.8
"""Of the machine's memory, for one task: a recording of hours may need most of it."""
_REMEDIES = Remedies(
    late="--processes 1 sets no deadline; --again tries it again",
    memory="--processes 1 leaves it more memory; --again tries it again",
    stopped="see what the others ended with; --again tries all again",
    full="make room; then the same command goes on",
    extra="voice",
    instead="--processes 1, which computes in this process",
)


def compute(
    title: str,
    tasks: Sequence[Task],
    store: Store,
    processes: int,
    *,
    journal: Path | None = None,
    keep_going: bool = False,
) -> Mapping[str, Failure]:
    """Computes what is not in the store, on one thread a process.

    Args:
        title: of the progress bar.
        tasks: each key once.
        store: where results are, and go.
        processes: 1 computes in this process.
        journal: notes what happens; what failed by it is not tried again.
        keep_going: do not give up what fails in the same way again and again.

    Returns:
        Why tasks have no result, by key.

    Raises:
        KeyboardInterrupt: after Ctrl-C, when what ran is finished.
        DiskFullError: if there is no room for results.
        VoicegraphError: if a package is missing.
    """
    engine: Engine = Serial() if processes == 1 else Processes(processes)
    failed: dict[str, Failure] = {}
    with ExitStack() as stack:
        notes = None if journal is None else stack.enter_context(closing(Journal(journal)))
        request = stack.enter_context(stop_by_ctrl_c(_tell_stopping))
        run = TaskRun(
            tasks,
            store,
            engine,
            limits=_limits(),
            failed={} if journal is None else known_failures(journal),
            keep_going=keep_going,
            journal=notes,
            stopping=request,
        )
        stored = run.progress().stored
        with progress_bar(title, len(tasks), stored) as tell, request.while_computing(engine):
            for done, outcome in enumerate(run, stored + 1):
                if outcome.failure is not None:
                    failed[outcome.key] = outcome.failure
                tell("", done)
    if request.made:
        raise KeyboardInterrupt
    return failed


def require_pool(processes: int) -> None:
    """Checks that the package of the pool is installed, if it is needed.

    Raises:
        VoicegraphError: with the command to type, if it is not.
    """
    if processes > 1 and not is_installed("pebble"):
        raise VoicegraphError(missing_pool(_REMEDIES))


def _limits() -> Limits:
    memory = machine_bytes()
    found = Limits(remedies=_REMEDIES)
    return found if memory is None else replace(found, task_memory=int(_MEMORY_SHARE * memory))


def _tell_stopping() -> None:
    text = "stopping: what runs is finished, for 10 s at most; Ctrl-C again stops at once"
    print(text, file=sys.stderr, flush=True)
