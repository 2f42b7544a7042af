"""A live session for programs: one status a line."""

from __future__ import annotations

from typing import TextIO

from voicegraph.graph.live.protocol import LiveSessionProtocol

from ._until_stopped import pause, until_stopped


def run_json(live: LiveSessionProtocol, stream: TextIO, every_s: float = 1.0) -> None:
    """Writes a ``LiveStatus`` as one line of JSON until the session has ended; Ctrl-C ends it.

    Args:
        live: what is shown.
        stream: takes the lines. The last one, with the state ``stopped``, is always written.
        every_s: seconds between two lines.
    """
    with until_stopped(live):
        while not live.stopped.is_set():
            _write(live, stream)
            pause(live, every_s)
    _write(live, stream)


def _write(live: LiveSessionProtocol, stream: TextIO) -> None:
    stream.write(live.status().model_dump_json() + "\n")
    stream.flush()
