"""Ends the parts of a live session within two seconds, whatever hangs.

A thread that hangs in a node, a driver or a disk cannot be ended from outside. It is left to itself
(all these threads are daemons), and what it should have ended is named.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..errors import Problem, VoicegraphError
from ..runtime.engine import Engine
from ..runtime.running_node import running_node

ENGINE_S = 0.6
"""How long the engine may take to finish its block after a stop was requested."""
PARTS_S = 1.2
"""How long devices and files may take to close; all at the same time."""
LIMIT_S = 2.0
"""After which a session has stopped in any case."""

Close = Callable[[], None]


@dataclass
class Shutdown:
    """How a session ended.

    Attributes:
        errors: of parts that failed while they were closed, in the order of the parts.
        unfinished: what did not end in time.
    """

    errors: list[BaseException] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    def wait_for_engine(self, thread: threading.Thread, engine: Engine) -> None:
        """Waits until the engine's thread has ended; otherwise finds out where it hangs."""
        thread.join(ENGINE_S)
        if thread.is_alive():
            step = running_node(engine)
            where = "" if step is None else f": node {step.name} ({step.node.use}) does not return"
            self.unfinished.append(f"the engine{where}")

    def close(self, parts: Sequence[tuple[str, Sequence[Close]]]) -> None:
        """Closes parts at the same time.

        Args:
            parts: of each, what it is, and the functions that close it, one after another; the
                next is called even if one fails.
        """
        failed: list[list[BaseException]] = [[] for _ in parts]
        threads = [
            threading.Thread(
                target=_close_all, args=(closes, errors), name="voicegraph-close", daemon=True
            )
            for (_, closes), errors in zip(parts, failed, strict=True)
        ]
        deadline = time.monotonic() + PARTS_S
        for thread in threads:
            thread.start()
        for thread, (name, _) in zip(threads, parts, strict=True):
            thread.join(max(deadline - time.monotonic(), 0))
            if thread.is_alive():
                self.unfinished.append(name)
        self.errors.extend(error for errors in failed for error in errors)

    def error(self) -> VoicegraphError | None:
        """Says what did not end; None if all has."""
        if not self.unfinished:
            return None
        text = f"the session has stopped, but this has not ended: {'; '.join(self.unfinished)}"
        return VoicegraphError(Problem("not-ended", text))


def _close_all(closes: Sequence[Close], errors: list[BaseException]) -> None:
    for close in closes:
        try:
            close()
        except BaseException as error:  # reported; the rest is closed
            errors.append(error)
