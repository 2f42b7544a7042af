"""Device clocks out of callbacks that jitter."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph.live._device_clock import DeviceClock, Stamps


def _run(
    clock: DeviceClock, stamps: Stamps, rate: float, span: tuple[int, int], late: float
) -> None:
    generator = np.random.default_rng(span[0])
    for index in range(*span):
        frames = 480 * (index + 1)
        stamps.add(5 + frames / rate + generator.exponential(late), frames)
        if index % 10 == 9:
            clock.follow(stamps)


@pytest.mark.parametrize("ppm", [0, 200, -200, 1000])
def test_the_rate_is_found(ppm: float) -> None:
    clock, stamps = DeviceClock(48000), Stamps()
    rate = 48000 * (1 + 1e-6 * ppm)
    _run(clock, stamps, rate, (0, 6000), 0.0005)
    assert clock.rate == pytest.approx(rate, rel=3e-6)
    assert clock.time_of(480 * 6000) == pytest.approx(5 + 480 * 6000 / rate, abs=0.001)
    assert clock.frames_at(clock.time_of(1234567)) == pytest.approx(1234567, abs=0.01)


def test_one_late_callback_moves_nothing() -> None:
    clock, stamps = DeviceClock(48000), Stamps()
    _run(clock, stamps, 48000, (0, 1000), 0.0)
    before = clock.time_of(480 * 2000)
    stamps.add(5 + 480 * 1001 / 48000 + 0.2, 480 * 1001)
    clock.follow(stamps)
    assert clock.time_of(480 * 2000) == pytest.approx(before, abs=1e-6)


def test_lost_frames_are_noticed() -> None:
    clock, stamps = DeviceClock(48000), Stamps()
    _run(clock, stamps, 48000, (0, 1000), 0.0)
    for index in range(1000, 1200):  # 100 ms never came
        stamps.add(5.1 + 480 * (index + 1) / 48000, 480 * (index + 1))
    clock.follow(stamps)
    assert clock.time_of(480 * 1200) == pytest.approx(5.1 + 12.0, abs=0.001)
    assert clock.rate == pytest.approx(48000, rel=1e-5)


def test_stamps_that_nobody_took_in_time_are_the_newest() -> None:
    stamps = Stamps()
    for index in range(10000):
        stamps.add(float(index), index)
    taken = list(stamps.take())
    assert taken[-1] == (9999.0, 9999)
    assert len(taken) < 4096
    assert list(stamps.take()) == []
