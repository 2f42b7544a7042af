from __future__ import annotations

import pytest

from voicegraph.app.tui._status_lines import (
    clock_line,
    heading_line,
    health_line,
    latency_line,
    load_line,
    overrun_line,
)
from voicegraph.app.tui._text_lines import length
from voicegraph.schemas.live_health import LiveHealth
from voicegraph.schemas.recording_state import RecordingState

from .plain_text import plain


def test_latency_line_names_each_latency(status, changed) -> None:
    assert " ".join(plain(latency_line(status.latency, 80)).split()) == (
        "latency algorithmic 63 + buffering 204 + device 21 = 288 ms measured 291 ms"
    )
    unknown = changed(latency__measured_ms=None).latency
    assert plain(latency_line(unknown, 80)).endswith("= 288 ms  not measured")
    assert "algorithmic 63.0" in plain(latency_line(status.latency, 120))


def test_overrun_line_counts_late_blocks(status) -> None:
    words = " ".join(plain(overrun_line(status.late, {"f0"}, 80)).split())
    assert words == "overrun last minute 1 total 3 worst 7.3 ms dropped 2 caused by (system) 1"


def test_overruns_of_listed_nodes_are_left_out(status) -> None:
    assert "caused" not in plain(overrun_line(status.late, {"f0", "(system)"}, 80))


def test_clock_line_shows_drift_or_one_clock(status, changed) -> None:
    words = " ".join(plain(clock_line(status.drift, 80)).split())
    assert words == ("clocks drift +12.3 ppm correction +11.8 ppm offset -0.02 ms realigned 0")
    one = changed(drift__one_clock=True).drift
    assert "one clock for both directions" in plain(clock_line(one, 80))
    unknown = changed(drift__drift_ppm=None).drift
    assert "drift not known yet" in plain(clock_line(unknown, 80))


def test_health_line_shows_the_worst_that_fits() -> None:
    assert plain(health_line(LiveHealth(), 80)) == " health  nothing went wrong so far"
    events = ["the output is silent: f0 failed", "nodes failed: f0 twice", "x" * 60, "last"]
    health = LiveHealth(events=events, silenced_by="f0")
    line = health_line(health, 80)
    assert plain(line) == f" health  {events[0]}; {events[1]} (+2)"
    assert line[1][1] == "bold bad"
    assert length(health_line(LiveHealth(events=["y" * 200, "z"]), 80)) <= 80
    nasty = LiveHealth(events=["a\x1b[2Jb"])
    assert "\x1b" not in plain(health_line(nasty, 80))


def test_heading_tells_whether_it_still_records(changed) -> None:
    recording = RecordingState(path="talk.jsonl")
    status = changed(recording="talk.jsonl", health=LiveHealth(recording=recording))
    assert plain(heading_line(status, False, 80)).rstrip().endswith("recording")
    full = LiveHealth(recording=RecordingState(path="talk.jsonl", stopped="the disk is full"))
    status = changed(recording="talk.jsonl", health=full)
    assert plain(heading_line(status, False, 80)).rstrip().endswith("recording stopped")


@pytest.mark.parametrize(
    ("headroom", "tone"), [(0.38, "good"), (0.1, "warn"), (-0.2, "bad")], ids=str
)
def test_load_line_colour_depends_on_headroom(headroom: float, tone: str, changed) -> None:
    line = load_line(changed(headroom=headroom), 80)
    assert length(line) == 80
    assert line[-1] == (f"headroom {100 * headroom:4.0f} % ", f"bold {tone}")
    assert "median   40  p99   62 of 100 ms" in plain(line)
    assert "max   88" in plain(load_line(changed(), 120))


def test_heading_line_names_state_and_switches(status, changed) -> None:
    assert plain(heading_line(status, False, 80)).startswith(
        " world  running  1:02:03  block 100 ms "
    )
    busy = changed(muted=True, monitor=True, variant="b", recording="a.jsonl", push_to_talk=True)
    line = plain(heading_line(busy, True, 80))
    assert len(line) <= 80 + 10
    assert " stopping " in line
    assert line.endswith("variant b  muted  talking  monitor  recording ")


def test_everything_fits_into_80_columns(changed) -> None:
    """With large numbers too; only text of unknown length is ever cut."""
    worst = changed(
        latency__algorithmic_ms=999.0, latency__buffering_ms=2345.0, latency__device_ms=99.0,
        latency__measured_ms=4321.0, drift__drift_ppm=-123.4, drift__correction_ppm=-123.4,
        drift__offset_ms=-123.45, drift__realigned=99, late__blocks=99999, late__last_minute=999,
        late__dropped=99999, late__worst_ms=999.0, late__blamed={},
    )  # fmt: skip
    widths = [
        length(latency_line(worst.latency, 80)),
        length(clock_line(worst.drift, 80)),
        length(overrun_line(worst.late, set(), 80)),
    ]
    assert max(widths) <= 80
