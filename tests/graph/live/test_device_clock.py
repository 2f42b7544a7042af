"""Device clocks from callbacks with jitter."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph.live._device_clock import CallbackTimes, DeviceClock


def _run(
    clock: DeviceClock,
    callback_times: CallbackTimes,
    rate: float,
    span: tuple[int, int],
    late: float,
) -> None:
    generator = np.random.default_rng(span[0])
    for index in range(*span):
        frames = 480 * (index + 1)
        callback_times.add(5 + frames / rate + generator.exponential(late), frames)
        if index % 10 == 9:
            clock.update(callback_times)


@pytest.mark.parametrize("ppm", [0, 200, -200, 1000])
def test_clock_finds_the_true_rate(ppm: float) -> None:
    clock, callback_times = DeviceClock(48000), CallbackTimes()
    rate = 48000 * (1 + 1e-6 * ppm)
    _run(clock, callback_times, rate, (0, 6000), 0.0005)
    assert clock.rate == pytest.approx(rate, rel=3e-6)
    assert clock.time_of(480 * 6000) == pytest.approx(5 + 480 * 6000 / rate, abs=0.001)
    assert clock.frames_at(clock.time_of(1234567)) == pytest.approx(1234567, abs=0.01)


def test_one_late_callback_changes_nothing() -> None:
    clock, callback_times = DeviceClock(48000), CallbackTimes()
    _run(clock, callback_times, 48000, (0, 1000), 0.0)
    before = clock.time_of(480 * 2000)
    callback_times.add(5 + 480 * 1001 / 48000 + 0.2, 480 * 1001)
    clock.update(callback_times)
    assert clock.time_of(480 * 2000) == pytest.approx(before, abs=1e-6)


def test_lost_frames_reset_the_clock() -> None:
    clock, callback_times = DeviceClock(48000), CallbackTimes()
    _run(clock, callback_times, 48000, (0, 1000), 0.0)
    for index in range(1000, 1200):  # 100 ms never came
        callback_times.add(5.1 + 480 * (index + 1) / 48000, 480 * (index + 1))
    clock.update(callback_times)
    assert clock.time_of(480 * 1200) == pytest.approx(5.1 + 12.0, abs=0.001)
    assert clock.rate == pytest.approx(48000, rel=1e-5)


def test_unread_callback_times_keep_the_newest() -> None:
    callback_times = CallbackTimes()
    for index in range(10000):
        callback_times.add(float(index), index)
    taken = list(callback_times.take())
    assert taken[-1] == (9999.0, 9999)
    assert len(taken) < 4096
    assert list(callback_times.take()) == []
