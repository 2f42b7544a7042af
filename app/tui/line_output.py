"""A live session as plain lines, for logs and screen readers, or as lines of JSON, for programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from voicegraph.graph.live.protocol import ShownSession
from voicegraph.graph.terminal_text import printable, printable_json
from voicegraph.schemas.live_health import LiveHealth
from voicegraph.schemas.live_status import EndReport, LiveStatus

from ._formatting import active_switches, clock, one_line, ppm
from ._messages import MessageDiff

_POLL_S = 0.2
_SLICE_S = 0.25
"""Waits are cut into slices: on Windows, Ctrl-C does not interrupt a waiting thread."""


@contextmanager
def until_stopped(live: ShownSession) -> Iterator[None]:
    """Stops the session when the block ends, and waits until it has stopped.

    Ctrl-C ends the block, and is not an error. A second Ctrl-C, during the wait, is raised: it
    must be possible to leave a session that does not stop.
    """
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        live.request_stop()
        while not live.stopped.wait(_SLICE_S):
            pass


def pause(live: ShownSession, seconds: float) -> bool:
    """Waits for a time, or until the session has stopped; returns whether it has."""
    while seconds > _SLICE_S:
        if live.stopped.wait(_SLICE_S):
            return True
        seconds -= _SLICE_S
    return live.stopped.wait(max(seconds, 0))


def run_json(live: ShownSession, stream: TextIO, every_s: float = 1.0) -> None:
    """Writes a ``LiveStatus`` as one line of JSON until the session has stopped; Ctrl-C stops it.

    Args:
        live: the session.
        stream: receives the lines. The last one has the state ``stopped`` and is always written.
        every_s: seconds between two lines.
    """
    with until_stopped(live):
        while not live.stopped.is_set():
            _write(stream, [printable_json(live.status().model_dump_json())])
            pause(live, every_s)
    _write(stream, [printable_json(live.status().model_dump_json())])


def run_plain(
    live: ShownSession, stream: TextIO, every_s: float = 1.0, poll_s: float = _POLL_S
) -> None:
    """Writes plain lines until the session has stopped; Ctrl-C stops it.

    Args:
        live: the session.
        stream: receives one line every ``every_s``, one at once when the state, a switch or the
            late blocks change, and one for each message and each new advice.
        every_s: seconds of the session between two lines.
        poll_s: seconds between two looks at the status.
    """
    lines = PlainLines(every_s)
    with until_stopped(live):
        while not live.stopped.is_set():
            _write(stream, lines.update(live.status()))
            pause(live, poll_s)
    _write(stream, lines.update(live.status()))


def _write(stream: TextIO, lines: list[str]) -> None:
    for line in lines:
        stream.write(printable(line) + "\n")
    if lines:
        stream.flush()


class PlainLines:
    """Turns statuses into lines, where something changed or enough time has passed.

    Args:
        every_s: seconds of the session after which a line is due without a change.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._due = 0.0
        self._written: object = None
        self._advised: set[str] = set()
        self._diff = MessageDiff()

    def update(self, status: LiveStatus) -> list[str]:
        """The lines for a new status, without control characters."""
        found = self._new_messages(status)
        health = status.health
        stopped = health.recording is not None and health.recording.stopped
        now = (
            status.state,
            active_switches(status),
            (status.late.blocks, status.late.dropped, health.devices_lost),
            (health.node_faults, health.silenced_by, health.hanging_node, stopped),
        )
        if status.seconds >= self._due or now != self._written:
            self._due, self._written = status.seconds + self._every_s, now
            found.append(f"{clock(status.seconds)} {status_line(status)}")
        return found

    def _new_messages(self, status: LiveStatus) -> list[str]:
        at = clock(status.seconds)
        advice = [text for text in status.advice if text not in self._advised]
        self._advised.update(advice)
        found = [f"{at} message: {one_line(text)}" for text in self._diff.update(status.messages)]
        return found + [f"{at} advice: {one_line(text)}" for text in advice]


def status_line(status: LiveStatus) -> str:
    """The most important values of a status in one line of text."""
    late = status.late
    parts = [
        ", ".join([status.state, *active_switches(status)]),
        f"input {_level(status.input, 'overflows')}",
        f"output {_level(status.output, 'underruns')}",
        f"headroom {100 * status.headroom:.0f} %",
        f"late blocks (overruns) {late.blocks}, {late.last_minute} in the last minute",
        f"dropped {late.dropped}",
        "one clock" if status.drift.one_clock else f"drift {ppm(status.drift.drift_ppm)}",
        *_further_events(status.health),
    ]
    return "; ".join(parts)


def _further_events(health: LiveHealth) -> list[str]:
    """What else went wrong, in few words: it is written every second."""
    found = []
    if health.hanging_s:
        name = one_line(health.hanging_node or "") or "a node"
        found.append(f"SILENT: {name} hangs, {health.hanging_s:.0f} s so far")
    if health.silenced_by is not None:
        found.append(f"SILENT: {one_line(health.silenced_by) or 'a node'} failed")
    if health.node_faults:
        found.append(f"node failures {sum(health.node_faults.values())}")
    if health.recording is not None and health.recording.stopped is not None:
        found.append("RECORDING STOPPED")
    if health.realigned:
        found.append(f"delay jumps {health.realigned}")
    if health.devices_lost:
        found.append(f"devices lost {health.devices_lost}")
    if health.nonfinite_blocks:
        found.append(f"blocks with NaN {health.nonfinite_blocks}")
    if health.control_packets_dropped:
        found.append(f"control packets dropped {health.control_packets_dropped}")
    return found


def _level(end: EndReport, dropouts: str) -> str:
    text = f"{end.rms_db:.1f} dB peak {end.peak_db:.1f}"
    clipped = f" clipped {end.clipped}" if end.clipped else ""
    return text + clipped + (f" {dropouts} {end.lost}" if end.lost else "")
