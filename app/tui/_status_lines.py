"""The upper part of the screen: heading, meters, load, overruns, latency, clocks, health."""

from __future__ import annotations

from voicegraph.schemas.live_health import LateReport, LiveHealth
from voicegraph.schemas.live_status import DriftReport, LiveLatency, LiveStatus

from ._formatting import active_switches, clock, one_line, ppm, short
from ._meters import device_line, meter_line
from ._panel import Panel
from ._text_lines import Line, bar, distribute, justify, with_background

_WITH_DEVICES = 10
"""Lines from which on the devices' names have room."""
_WIDE = 100
"""Columns from which on one more number, or one more digit, has room."""
_LOW_HEADROOM = 0.15
"""Below this headroom, other load on the machine may cause overruns."""
_STATE_COLOURS = {"starting": "muted", "running": "good", "waiting": "warn", "stopped": "bad"}
_SWITCH_COLOURS = {"muted": "bad", "talking": "good"}


class Overview(Panel):
    """Eight lines, or ten with the names of the devices."""

    def lines(self, width: int, height: int) -> list[Line]:
        """Implements :meth:`.Panel.lines`."""
        state, status = self.state, self.state.status
        found = [heading_line(status, state.stopping, width)]
        for name, end, hold, dropout in (
            ("input", status.input, state.input_hold, "overflow"),
            ("output", status.output, state.output_hold, "underrun"),
        ):
            found.append(meter_line(name, end, hold, width))
            if height >= _WITH_DEVICES:
                found.append(device_line(end, dropout, width))
        return [
            *found,
            load_line(status, width),
            overrun_line(status.late, {node.name for node in status.nodes}, width),
            latency_line(status.latency, width),
            clock_line(status.drift, width),
            health_line(status.health, width),
        ]


def heading_line(status: LiveStatus, stopping: bool, width: int) -> Line:
    """Pipeline, state, running time and active switches.

    Args:
        status: the newest status.
        stopping: the session was asked to stop, whether or not its status says so yet.
        width: columns.
    """
    state = "stopping" if stopping and status.state != "stopped" else status.state
    left: Line = [
        (f" {one_line(status.pipeline)}", "bold"),
        (f"  {state}", f"bold {_STATE_COLOURS.get(state, 'warn')}"),
        (f"  {clock(status.seconds)}", ""),
        (f"  block {short(status.block_ms)} ms", "muted"),
    ]
    right: Line = []
    for text in active_switches(status):
        right += [(text, f"bold {_SWITCH_COLOURS.get(text, 'warn')}"), ("  ", "")]
    if status.recording is not None:
        recording = status.health.recording
        stopped = recording is not None and recording.stopped is not None
        take = status.take
        running = "recording" if take is None else f"take {clock(take.seconds)}"
        right += [("recording stopped", "bold warn") if stopped else (running, "bold bad")]
        right += [(" ", "")]
    return with_background(justify(left, right, width), "band")


def load_line(status: LiveStatus, width: int) -> Line:
    """Compute time of the whole pipeline against the block: median, 99th percentile, headroom."""
    block, headroom = status.block_ms or 1.0, status.headroom
    tone = "good" if headroom >= _LOW_HEADROOM else "warn" if headroom >= 0 else "bad"
    figures = (
        f"  median {short(status.compute_median_ms):>4}  p99 {short(status.compute_p99_ms):>4}"
    )
    if width >= _WIDE:
        figures += f"  max {short(status.compute_max_ms):>4}"
    figures += f" of {short(block)} ms  "
    left_over = f"headroom {100 * headroom:4.0f} % "
    columns = max(width - 9 - len(figures) - len(left_over), 4)
    median, p99 = status.compute_median_ms / block, status.compute_p99_ms / block
    line = bar(columns, median, p99, lambda _: tone)
    return [_label("load"), *line, (figures, ""), (left_over, f"bold {tone}")]


def overrun_line(late: LateReport, nodes: set[str], width: int) -> Line:
    """Counts of late and dropped blocks.

    Args:
        late: the counts.
        nodes: names in the list of nodes, which shows their share of the overruns itself.
        width: columns.
    """
    parts: list[Line] = [
        [("last minute ", "muted"), (str(late.last_minute), _alarm(late.last_minute))],
        [("total ", "muted"), (str(late.blocks), "warn" if late.blocks else "")],
        [("worst ", "muted"), (f"{short(late.worst_ms)} ms", "")],
        [("dropped ", "muted"), (str(late.dropped), _alarm(late.dropped))],
    ]
    elsewhere = {name: n for name, n in late.blamed.items() if name not in nodes and n}
    if elsewhere:
        text = ", ".join(f"{name} {count}" for name, count in sorted(elsewhere.items()))
        parts.append([("caused by ", "muted"), (text, "warn")])
    return [_label("overrun"), *distribute(parts, width - 10)]


def latency_line(latency: LiveLatency, width: int) -> Line:
    """Each latency by name, the expected sum, and the measured latency."""

    def ms(value: float) -> str:
        return f"{value:.1f}" if width >= _WIDE else short(value)

    parts: list[Line] = [
        [("algorithmic ", "muted"), (ms(latency.algorithmic_ms), "")],
        [("+ buffering ", "muted"), (ms(latency.buffering_ms), "")],
        [("+ device ", "muted"), (ms(latency.device_ms), "")],
        [("= ", "muted"), (f"{ms(latency.expected_ms)} ms", "bold")],
    ]
    if latency.measured_ms is None:
        parts.append([("not measured", "muted")])
    else:
        parts.append([("measured ", "muted"), (f"{ms(latency.measured_ms)} ms", "bold")])
    return [_label("latency"), *distribute(parts, width - 10)]


def clock_line(drift: DriftReport, width: int) -> Line:
    """Drift between the clocks of the two devices, and its compensation."""
    offset: Line = [("offset ", "muted"), (f"{drift.offset_ms:+.2f} ms", "")]
    realigned = [("realigned ", "muted"), (str(drift.realigned), "warn" if drift.realigned else "")]
    if drift.one_clock:
        parts = [[("one clock for both directions", "muted")], offset, realigned]
    else:
        parts = [
            [("drift ", "muted"), (ppm(drift.drift_ppm), "")],
            [("correction ", "muted"), (ppm(drift.correction_ppm), "")],
            offset,
            realigned,
        ]
    return [_label("clocks"), *distribute(parts, width - 10)]


def health_line(health: LiveHealth, width: int) -> Line:
    """What went wrong so far, worst first, as much as fits; the number of events that do not."""
    events = [one_line(text) for text in health.events]
    if not events:
        return [_label("health"), ("nothing went wrong so far", "good")]
    room, text, shown = width - 10, events[0], 1
    while shown < len(events) and len(text) + len(events[shown]) + 12 <= room:
        text, shown = f"{text}; {events[shown]}", shown + 1
    more = f" (+{len(events) - shown})" if shown < len(events) else ""
    if len(text) + len(more) > room:
        text = text[: max(room - len(more) - 1, 1)] + "…"
    silent = health.silenced_by is not None or health.hanging_node is not None
    tone = "bold bad" if silent else "warn"
    return [_label("health"), (text, tone), (more, "muted")]


def _label(text: str) -> tuple[str, str]:
    return (f" {text:<8}", "muted")


def _alarm(count: int) -> str:
    return "bold bad" if count else ""
