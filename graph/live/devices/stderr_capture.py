"""Captures what sound libraries write to standard error, as messages of one line.

ALSA, JACK and PortAudio write to the process's standard error at every underrun. That would garble
a screen and flood a log; but it may say why something fails, so it is not discarded.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from voicegraph.graph.terminal_text import printable_stream

_STDERR = 2
_LONGEST = 200
_MOST = 20
"""Most different lines that are passed on."""


@contextmanager
def capture_stderr(say: Callable[[str], None]) -> Iterator[None]:
    """Passes what native code writes to standard error to ``say``, each line once.

    Python's ``sys.stderr`` still writes to the original standard error.
    """
    try:
        kept = os.dup(_STDERR)
        reading, writing = os.pipe()
    except OSError:  # there is no standard error, as under pythonw
        yield
        return
    before, original = sys.stderr, sys.__stderr__
    listener = threading.Thread(target=_listen, args=(reading, say), daemon=True)
    with os.fdopen(kept, "w", encoding="utf-8", errors="replace", closefd=False) as ours:
        if before is not None and _is_native(before):
            before.flush()
            sys.stderr = printable_stream(ours)
        sys.__stderr__ = ours  # pyright: ignore[reportAttributeAccessIssue]  # Textual draws there
        os.dup2(writing, _STDERR)
        os.close(writing)
        listener.start()
        try:
            yield
        finally:
            ours.flush()
            sys.stderr = before
            sys.__stderr__ = original  # pyright: ignore[reportAttributeAccessIssue]
            os.dup2(kept, _STDERR)  # closes the write end of the pipe, which ends the listener
            listener.join(1.0)
    os.close(kept)


def _is_native(stream: object) -> bool:
    """Whether a stream writes to the process's standard error, not to a buffer or a window."""
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
