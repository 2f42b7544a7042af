"""Numbers, states and errors as text, the same on the screen and in plain lines."""

from __future__ import annotations

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.live_status import LiveStatus


def clock(seconds: float) -> str:
    """``0:12:34``."""
    whole = max(int(seconds), 0)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def short(value: float) -> str:
    """About three significant digits: ``0.42``, ``7.3``, ``51``."""
    size = abs(value)
    return f"{value:.2f}" if size < 0.995 else f"{value:.1f}" if size < 9.95 else f"{value:.0f}"


def ppm(value: float | None) -> str:
    """``+12.3 ppm``, or ``not known yet`` for None."""
    return "not known yet" if value is None else f"{value:+.1f} ppm"


def active_switches(status: LiveStatus) -> list[str]:
    """Every switch that is not in its default position, in one to three words each."""
    found = [f"profile {one_line(name)}" for name in status.active_profiles]
    if status.voice is not None:
        found.append(f"voice {one_line(status.voice)}")
    if status.variant is not None:
        found.append(f"variant {status.variant}")
    if status.muted:
        found.append("muted")
    if status.push_to_talk:
        found.append("talking" if status.talking else "talk key up")
    if status.monitor:
        found.append("monitor")
    if status.skipping:
        found.append("silent: paused")
    return found


def one_line(text: str) -> str:
    """One line without control characters: names of devices and files could hold escape codes."""
    return printable(" ".join(text.split()))


def error_line(error: Exception) -> str:
    """Messages and fixes of an error in one line."""
    if not isinstance(error, VoicegraphError):
        return one_line(f"{type(error).__name__}: {error}")
    texts = [
        problem.message + (f"; fix: {problem.fix}" if problem.fix else "")
        for problem in error.problems
    ]
    return one_line("; ".join(texts))
