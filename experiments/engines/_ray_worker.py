"""A worker on a cluster: finds what a task needs on its machine, asks for the rest, computes."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..store import Store
from ..store.encoding import decode, encode
from ..store.record import Record
from ..task import Outcome, Result, Task
from ._content_cache import ContentCache, files_of, has_content
from ._ray_messages import Missing, Reply, Setup
from .execute import execute, execute_into, failure_of

_RESULT_BYTES = 256 << 20
"""Bytes of results that a worker keeps: a sound is needed by each of its observers."""

Fetch = Callable[[Any], Any]
"""Gives the object of a reference."""


class RayWorker:
    """What :class:`RayHost` does once its voicegraph is known to be the driver's.

    Args:
        setup: store and limits.
        cache: files of other machines.
        sees: whether a path has certain contents on this machine.

    Attributes:
        shares_store: whether the driver's store is visible and writable here.
    """

    def __init__(
        self,
        setup: Setup,
        cache: ContentCache | None = None,
        sees: Callable[[Path, str], bool] = has_content,
    ) -> None:
        self.store = setup.store
        self.shares_store = _shares(self.store, setup.token)
        self.cache = cache or ContentCache()
        self.sees = sees
        self.results = _ResultCache()

    def run(self, request: bytes, offers: Mapping[str, Any], fetch: Fetch) -> Reply | Missing:
        """Computes a task, or says what it needs first.

        Args:
            request: a pickled :class:`Task`.
            offers: references to contents by SHA-256, and to bytes of results by key.
            fetch: gives the object of a reference.
        """
        task: Task = pickle.loads(request)
        try:
            moved, files = self._files(task, offers, fetch)
            missing = Missing(tuple(files), tuple(self._results(task, offers, fetch)))
            if missing.files or missing.results:
                return missing
            nodes_files = tuple((str(moved.get(Path(p), p)), sha) for p, sha in task.nodes_files)
            here = replace(task, work=task.work.with_files(moved), nodes_files=nodes_files)
        except Exception as error:  # a full disk, or no right to write
            return Reply(Outcome(task.key, failure_of(error)))
        return self._compute(here)

    def _compute(self, task: Task) -> Reply | Missing:
        if self.shares_store:
            return Reply(execute_into(task, self.store))
        self.results.wanted.clear()
        outcome, result = execute(task, self.results)
        if result is None:
            wanted = tuple(self.results.wanted)
            return Missing((), wanted) if wanted else Reply(outcome)
        data = encode(result)
        digest = hashlib.sha256(data).hexdigest()
        record = Record(digest, len(data), task.kind, task.label, outcome.seconds)
        self.results.add(task.key, data)
        return Reply(outcome, data, record)

    def _files(
        self, task: Task, offers: Mapping[str, Any], fetch: Fetch
    ) -> tuple[dict[Path, Path], list[str]]:
        """Where its files are here, and contents that are not."""
        moved: dict[Path, Path] = {}
        missing: list[str] = []
        for path, sha256 in files_of(task).items():
            if self.sees(path, sha256):
                continue
            found = self.cache.find(sha256, path.suffix)
            if found is None and sha256 in offers:
                found = self.cache.add(sha256, fetch(offers[sha256]))
            if found is None:
                missing.append(sha256)
            else:
                moved[path] = found
        return moved, missing

    def _results(self, task: Task, offers: Mapping[str, Any], fetch: Fetch) -> list[str]:
        """Keys of needed results that are not here."""
        if self.shares_store:
            return []
        wanted = (*task.needs, *(key for key in offers if key not in {*files_of(task).values()}))
        for key in wanted:
            if key not in self.results and key in offers:
                self.results.add(key, fetch(offers[key]))
        self.results.trim(keep=wanted)
        return [key for key in task.needs if key not in self.results]


class _ResultCache:
    """Bytes of results in memory; those used last stay.

    Attributes:
        wanted: keys that were read and are not here.
    """

    def __init__(self) -> None:
        self.wanted: set[str] = set()
        self._data: OrderedDict[str, bytes] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def read(self, key: str) -> Result:
        """A result; KeyError if it is not here."""
        if key not in self._data:
            self.wanted.add(key)
        self._data.move_to_end(key)
        return decode(self._data[key])

    def add(self, key: str, data: bytes) -> None:
        """Keeps a result."""
        self._data[key] = data
        self._data.move_to_end(key)

    def trim(self, keep: tuple[str, ...]) -> None:
        """Forgets results, but not those that are needed now."""
        for key in [key for key in self._data if key not in keep]:
            if sum(map(len, self._data.values())) <= _RESULT_BYTES:
                return
            del self._data[key]


def _shares(store: Store, token: str) -> bool:
    return store.is_same(token) and os.access(store.path, os.W_OK)
