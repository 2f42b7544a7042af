"""Garbage collection: results that no run has used for long are removed from a store."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .store import Store


@dataclass(frozen=True, slots=True)
class Collected:
    """What was removed, or would be.

    Attributes:
        results: number of results.
        leftovers: number of files that belong to no result.
        freed: bytes of both.
        kept: number of results that stay.
        kept_bytes: their bytes.
    """

    results: int
    leftovers: int
    freed: int
    kept: int
    kept_bytes: int


def collect(store: Store, keep_s: float, *, dry: bool = False) -> Collected:
    """Removes results that were neither written nor used by a run for so long.

    Args:
        store: the store.
        keep_s: seconds.
        dry: removes nothing.
    """
    before = time.time() - keep_s
    sizes: dict[bool, list[int]] = {True: [], False: []}
    for key in list(store.keys()):
        with suppress(OSError, KeyError):
            old = store.last_used(key) < before
            sizes[old].append(sum(map(_size, store.files(key))))
            if old and not dry:
                store.remove(key)
    leftovers = {path: _size(path) for path in store.leftovers()}
    if not dry:
        for path in leftovers:
            with suppress(OSError):
                path.unlink()
        _remove_empty(store.path)
    old, kept = sizes[True], sizes[False]
    freed = sum(old) + sum(leftovers.values())
    return Collected(len(old), len(leftovers), freed, len(kept), sum(kept))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _remove_empty(root: Path) -> None:
    for folder in root.glob("??"):
        with suppress(OSError):  # not empty
            folder.rmdir()
