from __future__ import annotations

import pytest

from voicegraph.app.tui._meters import Hold, device, meter
from voicegraph.app.tui._text_lines import length, plain
from voicegraph.schemas.live_status import EndReport


def _end(peak: float = -10.0, clipped: int = 0) -> EndReport:
    return EndReport(
        device="Mic\x1b[0m", rate_hz=48000, channels=6, peak_db=peak, rms_db=-20.0,
        clipped=clipped, lost=1,
    )  # fmt: skip


def test_a_peak_is_held_and_then_falls() -> None:
    hold = Hold()
    hold.take(0.0, _end(-3))
    for tick in range(1, 16):
        hold.take(tick / 10, _end(-40))
    assert hold.peak_db == -3
    hold.take(2.0, _end(-40))
    assert hold.peak_db == pytest.approx(-13)
    hold.take(2.1, _end(-40))
    assert hold.peak_db == pytest.approx(-15)
    hold.take(2.2, _end(-14))
    assert hold.peak_db == -14


def test_it_falls_as_far_whenever_one_looks() -> None:
    often, seldom = Hold(), Hold()
    for hold, times in ((often, [t / 20 for t in range(61)]), (seldom, [0, 0.7, 3.0])):
        for seconds in times:
            hold.take(seconds, _end(-3 if seconds == 0 else -60))
    assert often.peak_db == pytest.approx(seldom.peak_db) == pytest.approx(-33)


def test_it_does_not_fall_below_the_peak() -> None:
    hold = Hold()
    hold.take(0, _end(-3))
    hold.take(60, _end(-40))
    assert hold.peak_db == -40


def test_clipping_lights_up_for_a_while() -> None:
    hold = Hold()
    hold.take(0, _end())
    assert not hold.clipping
    hold.take(1, _end(clipped=4))
    assert hold.clipping
    hold.take(3.9, _end(clipped=4))
    assert hold.clipping
    hold.take(4.1, _end(clipped=4))
    assert not hold.clipping
    line = meter("input", _end(clipped=4), hold, 80)
    assert (" clip 4    ", "bad") in line  # how much there was stays to be read


@pytest.mark.parametrize("width", [80, 120])
def test_a_meter_fits(width: int) -> None:
    hold = Hold()
    hold.take(0, _end(-120, 9999))
    line = meter("output", _end(-120, 9999), hold, width)
    assert length(line) == width
    assert "rms  -20.0  peak -120.0  held -120.0 dB" in plain(line)
    assert "clip 9999" in plain(line)


def test_a_device_is_named() -> None:
    line = plain(device(_end(), 80))
    assert "Mic [0m, 48000 Hz 6 channels" in line
    assert line.endswith("audio lost 1 time ")
    assert len(line) == 80
