"""Stages of starting a session, named while they run: models may take seconds to load.

Whoever starts a session wraps it in ``report_stages``; whatever takes long calls ``begin_stage``.
Without a listener, and on other threads, nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str | None], None]
"""Called with the name of a stage that begins, and with None at the end of the start."""

_listener: ContextVar[Listener | None] = ContextVar("startup_listener", default=None)


@contextmanager
def report_stages(listener: Listener) -> Iterator[None]:
    """Calls ``listener`` for every stage that begins inside, on this thread."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def begin_stage(name: str) -> None:
    """Names what begins now, which ends what was named before; a phrase as in "loading f0"."""
    listener = _listener.get()
    if listener is not None:
        listener(name)


def end_stages() -> None:
    """Says that all is ready: from now on the session runs, and must not be disturbed."""
    listener = _listener.get()
    if listener is not None:
        listener(None)
