"""The first line: which pipeline, what it is doing, since when, and what is switched."""

from __future__ import annotations

from voicegraph.schemas.live_status import LiveStatus

from ._text_lines import Line, apart, over
from ._wording import clock, one_line, short, switched

_TONES = {"starting": "muted", "running": "good", "waiting": "warn", "stopped": "bad"}
_LOUD = {"muted": "bad", "talking": "good"}


def heading(status: LiveStatus, stopping: bool, width: int) -> Line:
    """One line of ``width`` columns."""
    state = "stopping" if stopping and status.state != "stopped" else status.state
    left: Line = [
        (f" {one_line(status.pipeline)}", "bold"),
        (f"  {state}", f"bold {_TONES.get(state, 'warn')}"),
        (f"  {clock(status.seconds)}", ""),
        (f"  block {short(status.block_ms)} ms", "muted"),
    ]
    right: Line = []
    for word in switched(status):
        right += [(f"{word}", f"bold {_LOUD.get(word, 'warn')}"), ("  ", "")]
    if status.recording is not None:
        right += [("recording", "bold bad"), (" ", "")]
    return over(apart(left, right, width), "band")
