"""A cache of loaded weights, shared by all sessions and streams of the process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TypeVar, cast
from weakref import WeakValueDictionary

from ...file_contents import read_content
from ..file_errors import unreadable

T = TypeVar("T")


class _KeyLock:
    """A lock for each key. It is a class because bare locks have no weak references."""

    def __init__(self) -> None:
        self.lock = threading.RLock()


_cached: WeakValueDictionary[Hashable, object] = WeakValueDictionary()
_locks: WeakValueDictionary[Hashable, _KeyLock] = WeakValueDictionary()
_guard = threading.Lock()


def shared(key: Hashable, make: Callable[[], T]) -> T:
    """The result of ``make``, cached by key while somebody holds a reference to it.

    Callers in other threads wait for the first one; other keys do not wait. If ``make`` raises, the
    next caller tries again.

    Args:
        key: everything that decides the result: the kind of network, the contents of the file,
            device and form.
        make: loads the weights; the same for equal keys.

    Raises:
        TypeError: if the result has no weak references, such as a plain dict or tuple.
    """
    with _guard:
        lock = _locks.setdefault(key, _KeyLock())
    with lock.lock:
        found = _cached.get(key)
        if found is None:
            found = make()
            try:
                _cached[key] = found
            except TypeError:
                kind = type(found).__name__
                text = f"a {kind} has no weak references; let `make` return a module or an object"
                raise TypeError(text) from None
        return cast("T", found)


def shared_file(
    use: str, files: Path | Sequence[Path], make: Callable[[], T], *more: Hashable
) -> T:
    """As :func:`shared`, for the contents of files: copies share, replaced files are read again.

    Args:
        use: what is made of the contents, such as the class of a network.
        files: the file itself, not its folder; or the files of a model in several.
        make: loads them.
        more: whatever else decides the result, such as device and form.

    Raises:
        WeightsError: if a file is missing or not accessible.
    """
    listed = [files] if isinstance(files, Path) else files
    return shared((use, *(_hash(file) for file in listed), *more), make)


def _hash(file: Path) -> str:
    """SHA-256 of the contents, which :mod:`file_contents` reads once for each version."""
    try:
        file.stat()
    except OSError as error:
        raise unreadable(file, error) from None
    if (found := read_content(file)) is None:
        raise unreadable(file, PermissionError("cannot be read"))
    return found.sha256
