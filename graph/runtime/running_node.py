"""Which node of an engine is at work, read from the stacks of all threads.

For messages about a block that does not end. The ticks keep no such record: it would cost time at
every node.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType

from .engine import Engine, Step


def running_node(engine: Engine) -> Step | None:
    """The step whose node some thread is executing; None if there is none."""
    # Interpreters other than CPython may lack this function; the message then names no node.
    stacks = getattr(sys, "_current_frames", dict)()
    for newest in stacks.values():
        for frame in _frames(newest):
            step = frame.f_locals.get("self") if frame.f_code is Step.run.__code__ else None
            if isinstance(step, Step) and engine.by_name.get(step.name) is step:
                return step
    return None


def _frames(newest: FrameType | None) -> Iterator[FrameType]:
    while newest is not None:
        yield newest
        newest = newest.f_back
