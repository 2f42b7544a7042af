"""The class of every process that we start on a cluster: it speaks before voicegraph is known.

It travels to the worker by value, so this module uses the standard library only: a worker without
voicegraph, or with another version of it, must be able to say so.
"""

from __future__ import annotations

import importlib
import os
import pickle
import platform
import socket
import sys
import tempfile
from typing import Any


class RayHost:
    """A process on a node: a worker that computes tasks, or the monitor that answers for a node."""

    def __init__(self) -> None:
        self.worker: Any = None

    def facts(self, packages: list[str]) -> dict[str, Any]:
        """What this machine has: fields of ``WorkerFacts``, or some of them and ``error``."""
        bare = {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "executable": sys.executable,
            "python": platform.python_version(),
        }
        try:
            from voicegraph.experiments.engines.worker_facts import worker_facts

            return {**bare, **worker_facts(packages).as_dict()}
        except Exception as error:  # of a missing or another voicegraph: anything
            return {**bare, "error": f"{type(error).__name__}: {error}"}

    def ping(self, ended: list[int]) -> dict[int, str]:
        """Shows that the node answers.

        Args:
            ended: processes on this node that have ended.

        Returns:
            Why, of those that left word.
        """
        return {pid: code for pid in ended if (code := _last_word(pid))}

    def start(self, setup: bytes) -> tuple[int, bool]:
        """Gets ready for tasks.

        Returns:
            Number of the process, and whether the store is visible here.
        """
        from voicegraph.experiments.engines._ray_worker import RayWorker
        from voicegraph.experiments.engines.execute import prepare_worker

        given = pickle.loads(setup)
        prepare_worker(given.limits, _leave_word)
        self.worker = RayWorker(given)
        self.worker.cache.trim()
        return os.getpid(), self.worker.shares_store

    def run(self, request: bytes, offers: dict[str, Any]) -> Any:
        """Computes a task: see ``RayWorker.run``."""
        return self.worker.run(request, offers, importlib.import_module("ray").get)


def _leave_word(code: str) -> None:
    """Called when this process ends by a limit: Ray tells nobody the exit code."""
    with open(_word_file(os.getpid()), "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(code)


def _last_word(pid: int) -> str | None:
    try:
        with open(_word_file(pid), encoding="ascii") as file:  # noqa: PTH123
            code = file.read()
        os.remove(_word_file(pid))  # noqa: PTH107
    except OSError:
        return None
    return code


def _word_file(pid: int) -> str:
    return os.path.join(tempfile.gettempdir(), f"voicegraph-worker-{pid}.ended")  # noqa: PTH118
