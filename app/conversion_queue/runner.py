"""Starts the processes of jobs, one at a time, the oldest job first."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from voicegraph.graph.errors import Problem, VoicegraphError

from ..background.process import start_background
from .job_folder import JobFolder
from .job_store import JobStore

Start = Callable[[Sequence[str], Path], subprocess.Popen[bytes]]
"""Starts a process of our Python with arguments; its output goes to a file."""
_PERIOD_S = 0.5


def worker_arguments(folder: JobFolder) -> list[str]:
    """What runs one job, as arguments of Python."""
    return ["-m", "voicegraph.app.conversion_queue.worker", str(folder.path)]


class JobRunner:
    """Watches the jobs of a store, on a thread of its own.

    The processes go on when this one ends: the next server finds their results.

    Args:
        store: the jobs.
        start: starts a process.
    """

    def __init__(self, store: JobStore, start: Start = start_background) -> None:
        self._store = store
        self._start = start
        self._own: dict[str, subprocess.Popen[bytes]] = {}
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="voicegraph-jobs", daemon=True)

    def start(self) -> None:
        """Tidies up, then starts what waits."""
        self._thread.start()

    def close(self) -> None:
        """Stops starting jobs; those that run go on."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """Says that there is a new job."""
        self._wake.set()

    def step(self) -> None:
        """Settles what has ended, and starts the next job if none runs."""
        self._reap()
        waiting: JobFolder | None = None
        for folder in self._store.folders():
            state = folder.settle().state
            if state == "running":
                return
            if state == "waiting" and waiting is None and not folder.is_cancelled:
                waiting = folder
        if waiting is not None:
            self._begin(waiting)

    def _begin(self, folder: JobFolder) -> None:
        # Written before the process exists: one that dies at once must not be started for ever.
        if not self._store.begin(folder):
            return
        try:
            process = self._start(worker_arguments(folder), folder.path / "log.txt")
        except OSError as error:
            folder.write_failure(_not_started(error))
        else:
            self._own[folder.id] = process

    def _reap(self) -> None:
        """Takes note of processes that have ended; before it, they would still be listed."""
        for job, process in list(self._own.items()):
            if process.poll() is not None:
                del self._own[job]
                with suppress(VoicegraphError, OSError):
                    self._note_early_end(JobFolder(self._store.folder / job))

    def _note_early_end(self, folder: JobFolder) -> None:
        """A process that ended before it held the lock has not written who it was."""
        found = folder.written_status()
        if found.state == "running" and found.pid is None:
            folder.write_status(found.model_copy(update={"pid": 0}))

    def _run(self) -> None:
        with suppress(OSError):
            self._store.tidy()
        while not self._stopping:
            with suppress(OSError, VoicegraphError, ValidationError):
                self.step()
            self._wake.wait(_PERIOD_S)
            self._wake.clear()


def _not_started(error: OSError) -> Problem:
    text = f"the process that converts the files could not be started: {error.strerror or error}"
    return Problem("job-not-started", text, fix="close other programs, then convert them again")
