"""A live session in plain lines, for logs and for screen readers."""

from __future__ import annotations

from typing import TextIO

from voicegraph.graph.live.protocol import LiveSessionProtocol
from voicegraph.schemas.live_status import EndReport, LiveStatus

from ._message_diff import News
from ._until_stopped import pause, until_stopped
from ._wording import clock, one_line, ppm, switched

_LOOK_S = 0.2
"""So soon a change is told."""


def run_plain(
    live: LiveSessionProtocol, stream: TextIO, every_s: float = 1.0, look_s: float = _LOOK_S
) -> None:
    """Writes lines until the session has ended; Ctrl-C ends it.

    Args:
        live: what is shown.
        stream: takes one line every ``every_s``, one at once when the state or the late blocks
            change, and one for each message and advice.
        every_s: seconds of the session between two lines.
        look_s: seconds between two looks.
    """
    lines = PlainLines(every_s)
    with until_stopped(live):
        while not live.stopped.is_set():
            _write(stream, lines.take(live.status()))
            pause(live, look_s)
    _write(stream, lines.take(live.status()))


def _write(stream: TextIO, lines: list[str]) -> None:
    for line in lines:
        stream.write(line + "\n")
    if lines:
        stream.flush()


class PlainLines:
    """What is worth a line.

    Args:
        every_s: seconds of the session after which there is one anyway.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._due = 0.0
        self._told: object = None
        self._advice: list[str] = []
        self._news = News()

    def take(self, status: LiveStatus) -> list[str]:
        """The lines that a status brings, without control characters."""
        found = self._words(status)
        now = (status.state, switched(status), status.late.blocks, status.late.dropped)
        if status.seconds >= self._due or now != self._told:
            self._due, self._told = status.seconds + self._every_s, now
            found.append(f"{clock(status.seconds)} {describe(status)}")
        return found

    def _words(self, status: LiveStatus) -> list[str]:
        """Messages, and advice when it changes."""
        at = clock(status.seconds)
        advice = [text for text in status.advice if text not in self._advice]
        self._advice = list(status.advice)
        found = [f"{at} message: {one_line(text)}" for text in self._news.take(status.messages)]
        return found + [f"{at} advice: {one_line(text)}" for text in advice]


def describe(status: LiveStatus) -> str:
    """The whole of it in a line of words."""
    late = status.late
    parts = [
        ", ".join([status.state, *switched(status)]),
        f"input {_level(status.input)}",
        f"output {_level(status.output)}",
        f"headroom {100 * status.headroom:.0f} %",
        f"late {late.last_minute} in the last minute and {late.blocks} in all",
        f"dropped {late.dropped}",
        "one clock" if status.drift.one_clock else f"drift {ppm(status.drift.drift_ppm)}",
    ]
    return "; ".join(parts)


def _level(end: EndReport) -> str:
    text = f"{end.rms_db:.1f} dB peak {end.peak_db:.1f}"
    clipped = f" clipped {end.clipped}" if end.clipped else ""
    return text + clipped + (f" lost {end.lost}" if end.lost else "")
