"""Computing a share of stored results anew, and comparing every bit."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from voicegraph.graph.errors import Problem, VoicegraphError

from ..store import Record, Store
from ..task import Kind, Task

DIFFERS = "result-differs"
"""Code of a result whose bits are not those that are stored."""


class ComparingStore(Store):
    """A store in which some results seem to be missing, and are compared when they are written.

    Args:
        path: of the store.
        keys: of the results that are computed anew.
    """

    def __init__(self, path: Path, keys: Collection[str]) -> None:
        super().__init__(path)
        self._keys = frozenset(keys)

    def has(self, key: str) -> bool:
        """Whether a result is there, and need not be compared."""
        return key not in self._keys and super().has(key)

    def write_bytes(self, key: str, data: bytes, record: Record) -> Record:
        """Compares.

        Raises:
            VoicegraphError: if the bytes are others than those that are stored.
        """
        stored = self.record(key)
        if hashlib.sha256(data).hexdigest() != stored.sha256:
            text = f"computed anew, its bits are others than those of {stored.time}"
            note = (f"stored on {stored.host} in {self.path}", None)
            fix = "`strict: true` in the file keeps results of different processors apart"
            raise VoicegraphError(Problem(DIFFERS, text, notes=(note,), fix=fix))
        return stored


def sample_of(tasks: Sequence[Task], store: Store, share: float) -> list[Task]:
    """Tasks to compute anew: a share of those that are stored, by their keys, at least one.

    Costs are left out, since they differ each time.

    Args:
        tasks: of the experiment.
        store: the store.
        share: from 0 to 1.
    """
    stored = [task for task in tasks if task.kind is not Kind.COST and store.has(task.key)]
    if not stored or share <= 0:
        return []
    stored.sort(key=lambda task: task.key[::-1])  # keys are hashes: this is a blind draw
    found = stored[: max(1, round(share * len(stored)))]
    return [replace(task, needs=()) for task in found]  # what they need is in the store
