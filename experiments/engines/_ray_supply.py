"""What workers that do not see the driver's files and store are given, by content, once a run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..store import Store
from ..task import Task
from ._content_cache import Shipment, files_of
from ._ray_cluster import Cluster
from ._ray_messages import Missing

_MOST_BYTES = 1 << 30


class Supply:
    """Puts contents into Ray's object store when a worker asks for them.

    Args:
        cluster: keeps the objects.
        store: of results.
        most_bytes: of objects that are kept for further workers.
    """

    def __init__(self, cluster: Cluster, store: Store, most_bytes: int = _MOST_BYTES) -> None:
        self._cluster = cluster
        self._store = store
        self._most = most_bytes
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    def offers(self, task: Task, missing: Missing) -> Mapping[str, Any]:
        """References to what a worker lacks for a task, by SHA-256 or key.

        Raises:
            InputError: if a file is gone or has changed.
            KeyError: if a result is not in the store.
        """
        paths = {sha: path for path, sha in files_of(task).items()}
        found: dict[str, Any] = {}
        for sha in missing.files:
            found[sha] = self._offer(sha, lambda sha=sha: _shipment(paths[sha], sha))
        for key in missing.results:
            found[key] = self._offer(key, lambda key=key: _result(self._store, key))
        return found

    def _offer(self, name: str, read: Callable[[], tuple[Any, int]]) -> Any:
        if name not in self._kept:
            value, size = read()
            self._kept[name] = (self._cluster.put(value), size)
            while sum(size for _, size in self._kept.values()) > self._most and len(self._kept) > 1:
                # A worker that still needs it holds a reference of its own.
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        return self._kept[name][0]


def _shipment(path: Path, sha256: str) -> tuple[Shipment, int]:
    shipment = Shipment.read(path, sha256)
    return shipment, shipment.size()


def _result(store: Store, key: str) -> tuple[bytes, int]:
    data = store.read_bytes(key)
    return data, len(data)
