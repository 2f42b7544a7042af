"""Calls to processes of a cluster that are open, and what to do with their answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._ray_cluster import Cluster, ProcessEndedError, WorkerError

Answer = Any | ProcessEndedError | WorkerError
Then = Callable[[Answer], None]


class Calls:
    """Open calls. An answer may never come, so nothing waits for a certain one.

    Args:
        cluster: carries them.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._open: dict[Any, tuple[Any, Then]] = {}

    def make(self, process: Any, method: str, *args: Any, then: Then) -> None:
        """Calls a method of a process.

        Args:
            process: of the cluster.
            method: of :class:`RayHost`.
            args: of the method.
            then: gets the value, or the exception that says why there is none.
        """
        self._open[self._cluster.call(process, method, *args)] = process, then

    def forget(self, process: Any) -> None:
        """Drops what a process may still answer."""
        for reference in [ref for ref, (of, _) in self._open.items() if of is process]:
            del self._open[reference]

    def answer(self, timeout_s: float) -> None:
        """Waits for answers, at most so long, and hands them over."""
        for reference in self._cluster.ready(list(self._open), timeout_s):
            if reference not in self._open:  # dropped by the answer before
                continue
            _, then = self._open.pop(reference)
            try:
                value = self._cluster.value(reference)
            except (ProcessEndedError, WorkerError) as error:
                value = error
            then(value)
