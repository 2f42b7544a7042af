"""Load, late blocks, latencies and clocks: one line each."""

from __future__ import annotations

from voicegraph.schemas.live_status import DriftReport, LateReport, LiveLatency, LiveStatus

from ._bars import bar
from ._text_lines import Line, spread
from ._wording import ppm, short

_WIDE = 100
"""Columns from which on there is room for one more figure, or one more digit."""
_TIGHT = 0.15
"""Headroom below which the machine's other business may make blocks late."""


def load(status: LiveStatus, width: int) -> Line:
    """What the whole pipeline takes of a block, at the median and at the 99th percentile."""
    block, room = status.block_ms or 1.0, status.headroom
    tone = "good" if room >= _TIGHT else "warn" if room >= 0 else "bad"
    figures = (
        f"  median {short(status.compute_median_ms):>4}  p99 {short(status.compute_p99_ms):>4}"
    )
    if width >= _WIDE:
        figures += f"  max {short(status.compute_max_ms):>4}"
    figures += f" of {short(block)} ms  "
    left = f"headroom {100 * room:4.0f} % "
    columns = max(width - 9 - len(figures) - len(left), 4)
    near, far = status.compute_median_ms / block, status.compute_p99_ms / block
    line = bar(columns, near, far, lambda _: tone)
    return [_label("load"), *line, (figures, ""), (left, f"bold {tone}")]


def lateness(late: LateReport, nodes: set[str], width: int) -> Line:
    """Late and dropped blocks; blame that no node of the list carries."""
    parts: list[Line] = [
        [("last minute ", "muted"), (str(late.last_minute), _tone(late.last_minute))],
        [("all ", "muted"), (str(late.blocks), "warn" if late.blocks else "")],
        [("worst ", "muted"), (f"{short(late.worst_ms)} ms", "")],
        [("dropped ", "muted"), (str(late.dropped), _tone(late.dropped))],
    ]
    elsewhere = {name: n for name, n in late.blamed.items() if name not in nodes and n}
    if elsewhere:
        text = ", ".join(f"{name} {count}" for name, count in sorted(elsewhere.items()))
        parts.append([("blamed on ", "muted"), (text, "warn")])
    return [_label("late"), *spread(parts, width - 10)]


def delays(latency: LiveLatency, width: int) -> Line:
    """The latencies by name, the sum that is expected, and what was measured."""

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
    return [_label("latency"), *spread(parts, width - 10)]


def clocks(drift: DriftReport, width: int) -> Line:
    """How the devices' clocks differ, and what is done about it."""
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
    return [_label("clocks"), *spread(parts, width - 10)]


def _label(text: str) -> tuple[str, str]:
    return (f" {text:<8}", "muted")


def _tone(count: int) -> str:
    return "bold bad" if count else ""
