"""The cluster as the engine sees it: nodes, processes on them, calls and objects. Knows Ray.

Nothing here waits without a limit: calls to machines that cannot be reached never return.
"""

from __future__ import annotations

import importlib
import os
import secrets
import shutil
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from voicegraph.graph.machine import cores

from . import _ray_host
from ._ray_address import LOCAL, connection_problem, require_address, require_ray
from ._ray_process import kept_signals, silence, temporary_folder

_HEALTH_CHECKS = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
}
_OUT_OF_MEMORY = "NODE_OUT_OF_MEMORY"
"""Ray's type of exit of a worker that it has ended because its machine ran out of memory."""
_OBJECT_STORE = 256 << 20
_NODES_EVERY_S = 1.0
_CLOSE_S = 10.0


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """A machine of the cluster, as Ray last said.

    Attributes:
        id: of this node; one that restarts has another.
        name: host name and address, for people.
        cpus: how many it offers.
        alive: whether Ray takes it for alive.
    """

    id: str
    name: str
    cpus: float
    alive: bool


class ProcessEndedError(Exception):
    """A process on the cluster ended, or its node did.

    Attributes:
        out_of_memory: whether it ended because it, or its machine, ran out of memory.
    """

    def __init__(self, message: str, out_of_memory: bool = False) -> None:
        super().__init__(message)
        self.out_of_memory = out_of_memory


class WorkerError(Exception):
    """Our own code raised an exception on a worker."""


class Cluster(Protocol):
    """What the engine needs of a cluster. No method blocks longer than it is told to."""

    def nodes(self) -> Sequence[ClusterNode]:
        """All nodes, dead ones included, as they were about a second ago."""
        ...

    def begin(self, node: str, cpus: int) -> Any:
        """Starts a process with :class:`RayHost` on a node; calls to it wait until it runs."""
        ...

    def call(self, process: Any, method: str, *args: Any) -> Any:
        """Calls a method; gives a reference to what it will return."""
        ...

    def ready(self, references: Sequence[Any], timeout_s: float) -> list[Any]:
        """References whose values are here; waits for one at most so long."""
        ...

    def value(self, reference: Any) -> Any:
        """The value of a reference that is ready.

        Raises:
            ProcessEndedError: if its process or node ended.
            WorkerError: if the method raised an exception.
        """
        ...

    def put(self, value: Any) -> Any:
        """Keeps a value for workers; gives a reference to it."""
        ...

    def end(self, process: Any) -> None:
        """Kills a process."""
        ...

    def close(self) -> None:
        """Ends what we started, and leaves the cluster."""
        ...


class RayCluster:
    """A Ray cluster: one of our own on this machine, or one that runs already.

    Args:
        address: ``local``, ``auto``, or ``HOST:PORT``.
        workers: CPUs of a cluster of our own; None for all cores.

    Raises:
        PipelineError: if Ray is not installed, the address is wrong, or versions differ.
        DeviceError: if there is no cluster.
    """

    def __init__(self, address: str, workers: int | None = None) -> None:
        require_ray()
        require_address(address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Otherwise Ray hides the graphics cards from workers that did not ask for one.
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        self._closed = threading.Event()
        self._own: Path | None = None
        if address == LOCAL:  # Ray reads some of them when it is imported
            for name, value in {**_HEALTH_CHECKS, **_own_token()}.items():
                os.environ.setdefault(name, value)
        self._ray = importlib.import_module("ray")
        self._joined = not self._ray.is_initialized()  # a Python program may have joined already
        if self._joined:
            self._join(address, workers)
        self._ray.cloudpickle.register_pickle_by_value(_ray_host)
        self._host = self._ray.remote(_ray_host.RayHost)
        self._nodes: Sequence[ClusterNode] = self._ask_nodes()
        # Asking may block for a minute if the head of the cluster cannot be reached.
        threading.Thread(target=self._watch, name="ray nodes", daemon=True).start()

    def _join(self, address: str, workers: int | None) -> None:
        options: dict[str, Any] = {}
        if address == LOCAL:
            self._own = temporary_folder()
            options = {
                "num_cpus": workers or cores(),
                "object_store_memory": _OBJECT_STORE,
                "_temp_dir": str(self._own),
                "include_dashboard": False,
            }
        silence()
        try:
            with kept_signals():
                self._ray.init(
                    address=address, log_to_driver=False, logging_level="CRITICAL", **options
                )
        except BaseException as error:  # also Ctrl-C while it starts
            self.close()
            if isinstance(error, Exception):
                raise connection_problem(address, error) from None
            raise

    def nodes(self) -> Sequence[ClusterNode]:
        """All nodes, as they were about a second ago."""
        return self._nodes

    def begin(self, node: str, cpus: int) -> Any:
        """Starts a process on a node."""
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        here = strategies.NodeAffinitySchedulingStrategy(node_id=node, soft=False)
        options = self._host.options(
            num_cpus=cpus, max_restarts=0, max_task_retries=0, scheduling_strategy=here
        )
        return options.remote()

    def call(self, process: Any, method: str, *args: Any) -> Any:
        """Calls a method of a process."""
        return getattr(process, method).remote(*args)

    def ready(self, references: Sequence[Any], timeout_s: float) -> list[Any]:
        """References whose values are here."""
        if not references:
            self._closed.wait(timeout_s)
            return []
        found, _ = self._ray.wait(list(references), num_returns=1, timeout=timeout_s)
        if not found:
            return []
        found, _ = self._ray.wait(list(references), num_returns=len(references), timeout=0)
        return found

    def value(self, reference: Any) -> Any:
        """The value of a reference."""
        try:
            return self._ray.get(reference, timeout=_CLOSE_S)
        except self._ray.exceptions.RayTaskError as error:
            raise WorkerError(f"{type(error.cause).__name__}: {error.cause}") from None
        except self._ray.exceptions.RayError as error:
            text = str(error)
            # The texts of all other ends speak of memory, too, as one cause among others.
            raise ProcessEndedError(text, _OUT_OF_MEMORY in text) from None

    def put(self, value: Any) -> Any:
        """Keeps a value for workers."""
        return self._ray.put(value)

    def end(self, process: Any) -> None:
        """Kills a process."""
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(process)

    def close(self) -> None:
        """Ends our processes and leaves the cluster; a cluster of our own ends."""
        self._closed.set()
        if not self._joined:
            return
        # Leaving a cluster with a machine that cannot be reached may block.
        leaving = threading.Thread(target=self._leave, name="ray shutdown", daemon=True)
        leaving.start()
        leaving.join(_CLOSE_S)
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def _leave(self) -> None:
        with suppress(Exception):
            self._ray.shutdown()

    def _watch(self) -> None:
        while not self._closed.wait(_NODES_EVERY_S):
            with suppress(Exception):  # the head cannot be reached now
                self._nodes = self._ask_nodes()

    def _ask_nodes(self) -> Sequence[ClusterNode]:
        return [
            ClusterNode(
                node["NodeID"],
                f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})",
                node.get("Resources", {}).get("CPU", 0.0),
                bool(node["Alive"]),
            )
            for node in self._ray.nodes()
        ]


def _own_token() -> dict[str, str]:
    """Settings that keep others from our cluster, and leave no token in the user's home."""
    if "RAY_AUTH_MODE" in os.environ or "ray" in sys.modules:
        return {}
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
