"""Handles of the C interface: numbers that stand for sessions and are never used twice.

A number instead of an address, so that a handle which was closed, or was never one, is noticed.
"""

from __future__ import annotations

import threading
from typing import Protocol

from voicegraph.graph.errors import Problem

from .block_session import BlockSession
from .call_errors import HandleError

_FIRST = 0x1000
"""Above the small numbers that uninitialised variables hold most often."""
_STEP = 16


class Holder(Protocol):
    """What a handle stands for."""

    def running(self) -> BlockSession:
        """The session that processes blocks.

        Raises:
            NotLoadedError: if there is none yet.
        """
        ...

    def close(self) -> None:
        """Ends it; safe to call twice."""
        ...


class HandleTable:
    """All open handles of the process. Any thread may call any method."""

    def __init__(self) -> None:
        self._next = _FIRST
        self._open: dict[int, Holder] = {}
        self._changes = threading.Lock()

    def add(self, holder: Holder) -> int:
        """A new handle."""
        with self._changes:
            number = self._next
            self._next += _STEP
            self._open[number] = holder
        return number

    def find(self, number: int) -> Holder:
        """What a handle stands for.

        Raises:
            HandleError: if it is not open.
        """
        holder = self._open.get(number)
        if holder is None:
            raise self._unknown(number)
        return holder

    def take(self, number: int) -> Holder:
        """Removes a handle: of several callers one gets what it stood for.

        Raises:
            HandleError: for all others.
        """
        with self._changes:
            holder = self._open.pop(number, None)
        if holder is None:
            raise self._unknown(number)
        return holder

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    def _unknown(self, number: int) -> HandleError:
        if number in range(_FIRST, self._next, _STEP):
            text = "the handle is closed"
        else:
            text = "there is no such handle: it was not opened by this library"
        return HandleError(Problem("handle", text, fix="vg_open() or rvc_create() gives one"))
