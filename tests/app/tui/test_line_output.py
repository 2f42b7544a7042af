from __future__ import annotations

import io
import threading

import pytest

from voicegraph.app.tui.line_output import (
    PlainLines,
    pause,
    run_json,
    run_plain,
    status_line,
    until_stopped,
)
from voicegraph.schemas.live_health import LiveHealth
from voicegraph.schemas.live_status import LiveStatus
from voicegraph.schemas.recording_state import RecordingState


class ScriptedSession:
    """Returns the given statuses, one at each call, and stops."""

    def __init__(self, live, statuses: list[LiveStatus]) -> None:
        self._live, self._statuses = live, statuses
        self.stopped = live.stopped

    def status(self) -> LiveStatus:
        if len(self._statuses) > 1:
            return self._statuses.pop(0)
        self.stopped.set()
        return self._statuses[0]

    def command(self, command) -> None:
        raise AssertionError("plain output sends no commands")

    def say(self, text: str) -> None:
        raise AssertionError("plain output says nothing itself")

    def count_dropped_packets(self, count: int) -> None:
        raise AssertionError("plain output receives no packets")

    def request_stop(self) -> None:
        self._live.request_stop()


def _lines(live, statuses: list[LiveStatus]) -> list[str]:
    out = io.StringIO()
    run_plain(ScriptedSession(live, statuses), out, poll_s=0)
    return out.getvalue().splitlines()


class Interrupted(io.StringIO):
    """Raises KeyboardInterrupt until the session was asked to stop."""

    def __init__(self, live) -> None:
        super().__init__()
        self._live = live

    def write(self, text: str) -> int:
        if not self._live.stop_requests:
            raise KeyboardInterrupt
        return super().write(text)


# ---- until the session has stopped --------------------------------------------------------------


def test_session_stops_when_the_block_ends(live) -> None:
    with until_stopped(live):
        assert live.stop_requests == 0
    assert live.stopped.is_set()


def test_ctrl_c_ends_the_block_without_error(live) -> None:
    with until_stopped(live):
        raise KeyboardInterrupt
    assert live.stopped.is_set()


def test_other_errors_are_raised_after_the_stop(live) -> None:
    with pytest.raises(BrokenPipeError), until_stopped(live):
        raise BrokenPipeError
    assert live.stopped.is_set()


def test_second_ctrl_c_leaves_a_hanging_session(live, monkeypatch) -> None:
    live.stops = False

    def interrupt(timeout: float | None = None) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(live.stopped, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt), until_stopped(live):
        pass
    assert live.stop_requests == 1


def test_block_waits_until_the_session_has_stopped(live) -> None:
    live.stops = False
    ended = []

    def end() -> None:
        ended.append(True)
        live.stopped.set()

    timer = threading.Timer(0.02, end)
    timer.start()
    with until_stopped(live):
        pass
    assert ended
    timer.join()


def test_pause_waits_in_slices_until_the_stop(live, monkeypatch) -> None:
    waited: list[float] = []

    def wait(timeout: float) -> bool:
        waited.append(timeout)
        return False

    monkeypatch.setattr(live.stopped, "wait", wait)
    assert not pause(live, 1.1)
    assert sum(waited) == pytest.approx(1.1)
    assert max(waited) <= 0.25  # Windows handles Ctrl-C in between
    monkeypatch.setattr(live.stopped, "wait", lambda timeout: True)
    assert pause(live, 3600)


# ---- plain lines --------------------------------------------------------------------------------


def test_status_line_contains_the_most_important_values(status) -> None:
    assert status_line(status) == (
        "running; input -21.5 dB peak -9.0; output -20.5 dB peak -8.0; headroom 38 %; "
        "late blocks (overruns) 3, 1 in the last minute; dropped 2; drift +12.3 ppm"
    )


def test_status_line_names_clipping_and_underruns(changed) -> None:
    found = status_line(
        changed(input__clipped=7, input__lost=1, output__lost=2, drift__one_clock=True, muted=True)
    )
    assert "running, muted; input -21.5 dB peak -9.0 clipped 7 overflows 1;" in found
    assert "output -20.5 dB peak -8.0 underruns 2;" in found
    assert "one clock" in found


def test_one_plain_line_a_second(live, changed) -> None:
    statuses = [changed(seconds=t / 5) for t in range(16)]  # 0.0 .. 3.0
    found = [line for line in _lines(live, statuses) if "message" not in line]
    assert [line[:7] for line in found] == ["0:00:00", "0:00:01", "0:00:02", "0:00:03"]


@pytest.mark.parametrize(
    "change",
    [{"state": "waiting"}, {"late__blocks": 4}, {"late__dropped": 3}, {"muted": True},
     {"variant": "b"}],
    ids=str,
)  # fmt: skip
def test_change_is_written_at_once(change, changed) -> None:
    lines = PlainLines(1.0)
    lines.update(changed(seconds=10.0))
    assert lines.update(changed(seconds=10.1)) == []
    assert len(lines.update(changed(seconds=10.2, **change))) == 1


def test_messages_are_written_once_before_the_status(changed) -> None:
    lines = PlainLines(1.0)
    first = lines.update(changed(seconds=0, messages=["one", "two"], advice=["a larger block"]))
    assert first[:3] == [
        "0:00:00 message: one", "0:00:00 message: two", "0:00:00 advice: a larger block",
    ]  # fmt: skip
    again = lines.update(changed(seconds=0.2, messages=["two", "three"], advice=["a larger block"]))
    assert again == ["0:00:00 message: three"]


def test_line_names_everything_that_went_wrong(changed) -> None:
    health = LiveHealth(
        node_faults={"f0": 2, "voice": 1},
        silenced_by="f0",
        hanging_node="voice",
        hanging_s=7.2,
        realigned=15,
        devices_lost=1,
        nonfinite_blocks=4,
        control_packets_dropped=9,
        recording=RecordingState(path="a", stopped="the disk is full"),
    )
    (line,) = PlainLines(1.0).update(changed(health=health, messages=[]))
    assert line.endswith(
        "; SILENT: voice hangs, 7 s so far; SILENT: f0 failed; node failures 3; RECORDING STOPPED; "
        "delay jumps 15; devices lost 1; blocks with NaN 4; control packets dropped 9"
    )


def test_advice_that_comes_and_goes_is_written_once(changed) -> None:
    lines = PlainLines(60.0)
    advice = ["a larger block", "a cheaper tracker"]
    found = [
        line
        for i in range(100)
        for line in lines.update(changed(seconds=0.6 * i, advice=advice[: i % 3]))
    ]
    assert [line.partition(" advice: ")[2] for line in found if "advice" in line] == advice


def test_last_messages_and_stop_are_written(live, changed) -> None:
    statuses = [
        changed(seconds=5.0, messages=["a"]),
        changed(seconds=5.1, messages=["a", "the device is gone"], state="stopped"),
    ]
    found = _lines(live, statuses)
    assert found[-2] == "0:00:05 message: the device is gone"
    assert found[-1].startswith("0:00:05 stopped; ")


def test_plain_lines_have_no_control_characters(live, changed) -> None:
    nasty = "card \x1b]0;title\x07\r\nfalse line"
    found = _lines(live, [changed(messages=[nasty], advice=[nasty])])
    assert all(line.isprintable() for line in found)
    assert found[0] == r"1:02:03 message: card \x1b]0;title\x07 false line"


def test_ctrl_c_stops_plain_output_and_session(live) -> None:
    out = Interrupted(live)
    run_plain(live, out, poll_s=0)
    assert live.stopped.is_set()
    assert "stopped; " in out.getvalue()


# ---- JSON lines ---------------------------------------------------------------------------------


def test_json_output_is_one_status_a_line(live, changed) -> None:
    class StopsAfterThree(io.StringIO):
        def flush(self) -> None:
            if self.getvalue().count("\n") == 3:
                live.request_stop()

    live.now = changed(messages=["two\nlines \u2028 and more"])
    out = StopsAfterThree()
    run_json(live, out, every_s=0)
    lines = out.getvalue().split("\n")
    assert len(lines) == 5
    assert lines.pop() == ""
    read = [LiveStatus.model_validate_json(line) for line in lines]
    assert [status.state for status in read] == ["running"] * 3 + ["stopped"]
    assert read[-1] == live.now


def test_ctrl_c_stops_json_output_and_session(live) -> None:
    out = Interrupted(live)
    run_json(live, out)
    assert LiveStatus.model_validate_json(out.getvalue()).state == "stopped"


def test_closed_pipe_stops_the_session(live) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_json(live, Closed())
    assert live.stopped.is_set()
