"""The end of whatever shows a session: the session ends with it, and is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from voicegraph.graph.live.protocol import LiveSessionProtocol

SLICE_S = 0.25
"""Waiting is cut up: on Windows, Ctrl-C gets no chance while a thread waits."""


@contextmanager
def until_stopped(live: LiveSessionProtocol) -> Iterator[None]:
    """Ends the session with the block below it, and waits until it has ended.

    Ctrl-C is a way to end the block, and no error. Once more while it is waited for, it passes: a
    session that does not end must not hold the person.
    """
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        live.request_stop()
        while not live.stopped.wait(SLICE_S):
            pass


def pause(live: LiveSessionProtocol, seconds: float) -> bool:
    """Waits for so long, or until the session has ended; whether it has."""
    while seconds > SLICE_S:
        if live.stopped.wait(SLICE_S):
            return True
        seconds -= SLICE_S
    return live.stopped.wait(max(seconds, 0))
