from __future__ import annotations

import pytest

from voicegraph.app.tui._meters import PeakHold, device_line, meter_line
from voicegraph.app.tui._text_lines import length
from voicegraph.schemas.live_status import EndReport

from .plain_text import plain


def _end(peak: float = -10.0, clipped: int = 0) -> EndReport:
    return EndReport(
        device="Mic\x1b[0m", rate_hz=48000, channels=6, peak_db=peak, rms_db=-20.0,
        clipped=clipped, lost=1,
    )  # fmt: skip


def test_peak_is_held_and_then_falls() -> None:
    hold = PeakHold()
    hold.update(0.0, _end(-3))
    for tick in range(1, 16):
        hold.update(tick / 10, _end(-40))
    assert hold.peak_db == -3
    hold.update(2.0, _end(-40))
    assert hold.peak_db == pytest.approx(-13)
    hold.update(2.1, _end(-40))
    assert hold.peak_db == pytest.approx(-15)
    hold.update(2.2, _end(-14))
    assert hold.peak_db == -14


def test_fall_is_independent_of_the_update_rate() -> None:
    often, seldom = PeakHold(), PeakHold()
    for hold, times in ((often, [t / 20 for t in range(61)]), (seldom, [0, 0.7, 3.0])):
        for seconds in times:
            hold.update(seconds, _end(-3 if seconds == 0 else -60))
    assert often.peak_db == pytest.approx(seldom.peak_db) == pytest.approx(-33)


def test_held_peak_stops_at_the_peak() -> None:
    hold = PeakHold()
    hold.update(0, _end(-3))
    hold.update(60, _end(-40))
    assert hold.peak_db == -40


def test_clip_indicator_stays_lit_for_three_seconds() -> None:
    hold = PeakHold()
    hold.update(0, _end())
    assert not hold.clipping
    hold.update(1, _end(clipped=4))
    assert hold.clipping
    hold.update(3.9, _end(clipped=4))
    assert hold.clipping
    hold.update(4.1, _end(clipped=4))
    assert not hold.clipping
    line = meter_line("input", _end(clipped=4), hold, 80)
    assert (" clip 4    ", "bad") in line  # the count stays


@pytest.mark.parametrize("width", [80, 120])
def test_meter_line_fits_the_width(width: int) -> None:
    hold = PeakHold()
    hold.update(0, _end(-120, 9999))
    line = meter_line("output", _end(-120, 9999), hold, width)
    assert length(line) == width
    assert "rms  -20.0  peak -120.0  hold -120.0 dB" in plain(line)
    assert "clip 9999" in plain(line)


def test_device_line_names_device_and_dropouts() -> None:
    line = plain(device_line(_end(), "underrun", 80))
    assert r"Mic\x1b[0m, 48000 Hz 6 channels" in line
    assert line.endswith("1 buffer underrun ")
    assert len(line) == 80
