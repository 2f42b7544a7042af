"""Weights once a process, however many sessions and streams use them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar, cast
from weakref import WeakValueDictionary

from .file_errors import unreadable

T = TypeVar("T")


class _Turn:
    """Lets one caller at a time make what belongs to a key."""

    def __init__(self) -> None:
        self.lock = threading.RLock()


_made: WeakValueDictionary[Hashable, object] = WeakValueDictionary()
_turns: WeakValueDictionary[Hashable, _Turn] = WeakValueDictionary()
_guard = threading.Lock()


def shared(key: Hashable, make: Callable[[], T]) -> T:
    """What ``make`` gives, made once for each key as long as somebody holds it.

    Callers in other threads wait for the first one; other keys go on meanwhile. What raises is
    tried again by the next caller.

    Args:
        key: names all that matters: the node, the file with its size and time, device and dtype.
        make: brings the weights; the same for equal keys.

    Raises:
        TypeError: if the result cannot be held weakly, as a plain dict or tuple.
    """
    with _guard:
        turn = _turns.setdefault(key, _Turn())
    with turn.lock:
        found = _made.get(key)
        if found is None:
            found = make()
            try:
                _made[key] = found
            except TypeError:
                kind = type(found).__name__
                text = f"a {kind} cannot be held weakly; let `make` return a module or an object"
                raise TypeError(text) from None
        return cast("T", found)


def shared_file(use: str, file: Path, make: Callable[[], T], *more: Hashable) -> T:
    """As :func:`shared`, for what is read from a file: one that was replaced is read anew.

    Args:
        use: the node, by its name.
        file: the file itself, not the folder that it lies in.
        make: brings what is in it.
        more: whatever else decides what is made, such as device and dtype.

    Raises:
        WeightsError: if the file is gone, or cannot be looked at.
    """
    try:
        whole, stat = file.resolve(), file.stat()
    except OSError as error:
        raise unreadable(file, error) from None
    return shared((use, whole, stat.st_size, stat.st_mtime_ns, *more), make)
