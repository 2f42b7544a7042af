from __future__ import annotations

import io

import pytest

from voicegraph.app.tui.json_output import run_json
from voicegraph.schemas.live_status import LiveStatus


def _stop_after(live, lines: int) -> io.StringIO:
    """A stream; the session is asked to stop when so many lines are written."""

    class Counting(io.StringIO):
        def flush(self) -> None:
            if self.getvalue().count("\n") == lines:
                live.request_stop()

    return Counting()


def test_one_status_a_line(live, changed) -> None:
    live.now = changed(messages=["two\nlines \u2028 and more"])
    out = _stop_after(live, 3)
    run_json(live, out, every_s=0)
    lines = out.getvalue().split("\n")
    assert len(lines) == 5
    assert lines.pop() == ""
    read = [LiveStatus.model_validate_json(line) for line in lines]
    assert [status.state for status in read] == ["running"] * 3 + ["stopped"]
    assert read[-1] == live.now


def test_ctrl_c_stops_the_session(live) -> None:
    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            if not live.stop_asked:
                raise KeyboardInterrupt
            return super().write(text)

    out = Interrupted()
    run_json(live, out)
    assert LiveStatus.model_validate_json(out.getvalue()).state == "stopped"


def test_who_reads_no_more_ends_the_session(live) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_json(live, Closed())
    assert live.stopped.is_set()
