"""What sound libraries print, taken off the terminal and told in one line each.

ALSA, JACK and PortAudio write to the process's standard error whenever a buffer runs dry. That
would tear a screen apart and flood a log; but it may say why something fails, so it is not thrown
away.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_STDERR = 2
_LONGEST = 200
_MOST = 20
"""Different lines that are told; whoever says more says nothing."""


@contextmanager
def capture_stderr(say: Callable[[str], None]) -> Iterator[None]:
    """Within, what native code writes to standard error goes to ``say``, every line once.

    Python's own ``sys.stderr`` goes where it went before.
    """
    try:
        kept = os.dup(_STDERR)
        reading, writing = os.pipe()
    except OSError:  # no standard error at all, as under pythonw
        yield
        return
    before, original = sys.stderr, sys.__stderr__
    listener = threading.Thread(target=_listen, args=(reading, say), daemon=True)
    with os.fdopen(kept, "w", encoding="utf-8", errors="replace", closefd=False) as ours:
        if before is not None and _is_native(before):
            before.flush()
            sys.stderr = ours
        sys.__stderr__ = ours  # pyright: ignore[reportAttributeAccessIssue]  # where Textual draws
        os.dup2(writing, _STDERR)
        os.close(writing)
        listener.start()
        try:
            yield
        finally:
            ours.flush()
            sys.stderr = before
            sys.__stderr__ = original  # pyright: ignore[reportAttributeAccessIssue]
            os.dup2(kept, _STDERR)  # closes the pipe's last end, at which the listener ends
            listener.join(1.0)
    os.close(kept)


def _is_native(stream: object) -> bool:
    """Whether a stream writes to the process's standard error, not to a test or a window."""
    with suppress(OSError, ValueError, AttributeError):
        return stream.fileno() == _STDERR  # pyright: ignore[reportAttributeAccessIssue]
    return False


def _listen(reading: int, say: Callable[[str], None]) -> None:
    known: set[str] = set()
    with os.fdopen(reading, "r", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            text = line.strip()[:_LONGEST]
            if text and text not in known and len(known) < _MOST:
                known.add(text)
                say(f"sound system: {text}")
