"""A cluster in one process, whose machines can be killed and cut off, and whose time is ours.

Calls are answered one at a time, in order, when somebody waits for them.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voicegraph.experiments.engines._content_cache import ContentCache
from voicegraph.experiments.engines._ray_cluster import ClusterNode, ProcessEndedError, WorkerError
from voicegraph.experiments.engines._ray_host import RayHost
from voicegraph.experiments.engines._ray_worker import RayWorker
from voicegraph.experiments.store import Store

SHARED = "shared"
"""Name of a machine that sees the driver's disk."""


class FakeHost(RayHost):
    """A process of a machine: what it computes is real.

    Args:
        node: its machine.
        disk: of the machine.
        differs: facts that differ from those of this process.
        pid: its number.
    """

    def __init__(self, node: str, disk: Path, differs: dict[str, Any], pid: int) -> None:
        super().__init__()
        self.node, self.disk, self.differs, self.pid = node, disk, differs, pid
        self.alive = True

    def facts(self, packages: list[str]) -> dict[str, Any]:
        return {**super().facts(packages), "host": self.node, **self.differs}

    def start(self, setup: bytes) -> tuple[int, bool]:
        given = pickle.loads(setup)
        cache = ContentCache(self.disk / "cache")
        if self.node == SHARED:
            self.worker = RayWorker(given, cache)
        else:  # it has a disk of its own
            given = replace(given, store=Store(self.disk / "nothing"))
            self.worker = RayWorker(given, cache, sees=lambda path, sha256: False)
        return self.pid, self.worker.shares_store

    def run(self, request: bytes, offers: dict[str, Any]) -> Any:
        return self.worker.run(request, offers, lambda reference: reference)


@dataclass(eq=False)
class Call:
    """An open call."""

    host: FakeHost
    method: str
    args: tuple[Any, ...]


@dataclass
class FakeCluster:
    """The cluster.

    Attributes:
        disks: folder of the machines' disks.
        now: the time in seconds; it passes while somebody waits in vain.
        cut: machines that cannot be reached.
        hold: methods that are not answered.
        differs: facts of machines that differ from those of this process.
        log: what was called, by machine and method.
        hosts: processes that were started.
        closed: whether it was left.
    """

    disks: Path
    now: float = 0.0
    cut: set[str] = field(default_factory=set)
    hold: set[str] = field(default_factory=set)
    differs: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    hosts: list[FakeHost] = field(default_factory=list)
    closed: bool = False
    _nodes: dict[str, ClusterNode] = field(default_factory=dict)

    def join(self, *names: str, cpus: float = 1.0) -> FakeCluster:
        """Adds machines."""
        for name in names:
            self._nodes[name] = ClusterNode(name, name, cpus, alive=True)
        return self

    def kill(self, node: str) -> None:
        """A machine goes down: its calls fail at once, and Ray has noticed."""
        self._nodes[node] = replace(self._nodes[node], alive=False)
        for host in self.of(node):
            host.alive = False

    def of(self, node: str) -> list[FakeHost]:
        """Processes on a machine that were not ended."""
        return [host for host in self.hosts if host.node == node and host.alive]

    def workers(self, node: str) -> list[FakeHost]:
        """Those that compute."""
        return [host for host in self.of(node) if host.worker is not None]

    def clock(self) -> float:
        """The time."""
        return self.now

    # ---- as the engine sees it

    def nodes(self) -> Sequence[ClusterNode]:
        return list(self._nodes.values())

    def begin(self, node: str, cpus: int) -> FakeHost:
        differs = self.differs.get(node, {})
        self.hosts.append(FakeHost(node, self.disks / node, differs, 100 + len(self.hosts)))
        return self.hosts[-1]

    def call(self, process: FakeHost, method: str, *args: Any) -> Call:
        self.log.append((process.node, method))
        return Call(process, method, args)

    def ready(self, references: Sequence[Call], timeout_s: float) -> list[Call]:
        for call in references:
            answers = call.method not in self.hold or not call.host.alive
            if answers and call.host.node not in self.cut:
                return [call]
        self.now += timeout_s
        return []

    def value(self, reference: Call) -> Any:
        if not reference.host.alive:
            raise ProcessEndedError("it ended")
        try:
            return getattr(reference.host, reference.method)(*reference.args)
        except Exception as error:
            raise WorkerError(str(error)) from None

    def put(self, value: Any) -> Any:
        return pickle.loads(pickle.dumps(value))

    def end(self, process: FakeHost) -> None:
        process.alive = False

    def close(self) -> None:
        self.closed = True
