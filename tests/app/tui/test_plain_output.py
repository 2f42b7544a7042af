from __future__ import annotations

import io

import pytest

from voicegraph.app.tui.plain_output import PlainLines, describe, run_plain
from voicegraph.schemas.live_status import LiveStatus


class Play:
    """A session that goes through these moments, one a look, and stops."""

    def __init__(self, live, moments: list[LiveStatus]) -> None:
        self._live, self._moments = live, moments
        self.stopped = live.stopped

    def status(self) -> LiveStatus:
        if len(self._moments) > 1:
            return self._moments.pop(0)
        self.stopped.set()
        return self._moments[0]

    def command(self, command) -> None:
        raise AssertionError("plain lines steer nothing")

    def say(self, text: str) -> None:
        raise AssertionError

    def request_stop(self) -> None:
        self._live.request_stop()


def _lines(live, moments: list[LiveStatus]) -> list[str]:
    out = io.StringIO()
    run_plain(Play(live, moments), out, look_s=0)
    return out.getvalue().splitlines()


def test_a_line_of_words(status) -> None:
    assert describe(status) == (
        "running; input -21.5 dB peak -9.0; output -20.5 dB peak -8.0; headroom 38 %; "
        "late 1 in the last minute and 3 in all; dropped 2; drift +12.3 ppm"
    )


def test_clipping_and_lost_audio_are_told(changed) -> None:
    found = describe(changed(input__clipped=7, output__lost=2, drift__one_clock=True, muted=True))
    assert "running, muted; input -21.5 dB peak -9.0 clipped 7;" in found
    assert "output -20.5 dB peak -8.0 lost 2;" in found
    assert "one clock" in found


def test_one_line_a_second(live, changed) -> None:
    moments = [changed(seconds=t / 5) for t in range(16)]  # 0.0 .. 3.0
    found = [line for line in _lines(live, moments) if "message" not in line]
    assert [line[:7] for line in found] == ["0:00:00", "0:00:01", "0:00:02", "0:00:03"]


@pytest.mark.parametrize(
    "change",
    [{"state": "waiting"}, {"late__blocks": 4}, {"late__dropped": 3}, {"muted": True},
     {"variant": "b"}],
    ids=str,
)  # fmt: skip
def test_changes_are_told_at_once(change, changed) -> None:
    lines = PlainLines(1.0)
    lines.take(changed(seconds=10.0))
    assert lines.take(changed(seconds=10.1)) == []
    assert len(lines.take(changed(seconds=10.2, **change))) == 1


def test_messages_come_once_and_before_the_state(changed) -> None:
    lines = PlainLines(1.0)
    first = lines.take(changed(seconds=0, messages=["one", "two"], advice=["a larger block"]))
    assert first[:3] == [
        "0:00:00 message: one", "0:00:00 message: two", "0:00:00 advice: a larger block",
    ]  # fmt: skip
    again = lines.take(changed(seconds=0.2, messages=["two", "three"], advice=["a larger block"]))
    assert again == ["0:00:00 message: three"]


def test_the_end_is_told_with_the_last_messages(live, changed) -> None:
    moments = [
        changed(seconds=5.0, messages=["a"]),
        changed(seconds=5.1, messages=["a", "the device is gone"], state="stopped"),
    ]
    found = _lines(live, moments)
    assert found[-2] == "0:00:05 message: the device is gone"
    assert found[-1].startswith("0:00:05 stopped; ")


def test_no_control_characters(live, changed) -> None:
    nasty = "card \x1b]0;title\x07\r\nfalse line"
    found = _lines(live, [changed(messages=[nasty], advice=[nasty])])
    assert all(line.isprintable() for line in found)
    assert found[0] == "1:02:03 message: card ]0;title false line"


def test_ctrl_c_stops_the_session(live) -> None:
    class Interrupted(io.StringIO):
        def write(self, text: str) -> int:
            if not live.stop_asked:
                raise KeyboardInterrupt
            return super().write(text)

    out = Interrupted()
    run_plain(live, out, look_s=0)
    assert live.stopped.is_set()
    assert "stopped; " in out.getvalue()
