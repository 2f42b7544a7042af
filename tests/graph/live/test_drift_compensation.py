"""Drift compensation: positions of blocks, stretch, jumps."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph.live._capture_buffer import CaptureRingBuffer
from voicegraph.graph.live._drift_compensation import DriftCompensation
from voicegraph.graph.live._playback_buffer import PlaybackRingBuffer

RATE, PERIOD, BLOCK = 48000, 480, 960
RESERVE = BLOCK + 144


class _Devices:
    """Both ring buffers, with callbacks at the right times."""

    def __init__(self, one_clock: bool, ppm: float = 0.0, out: int = RATE) -> None:
        self.capture = CaptureRingBuffer(1, BLOCK, RATE)
        self.playback = PlaybackRingBuffer(1, out, 4 * out, "fade")
        self.compensation = DriftCompensation(
            self.capture, self.playback, (RATE, out), RESERVE, one_clock
        )
        self.now = 0.0
        self._ppm, self._out = ppm, out
        self._in, self._played = 0, 0

    def run(self, seconds: float, jitter: float = 0.0) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += PERIOD / RATE
            due = round(self.now * RATE * (1 + 1e-6 * self._ppm)) - self._in
            self._in += due
            late = jitter if (self._in // PERIOD) % 2 else 0.0
            self.capture.callback(np.zeros((due, 1), np.float32), self.now + late, False)
            due = round(self.now * self._out) - self._played
            self._played += due
            self.playback.callback(np.zeros((due, 1), np.float32), self.now, False)
            self.compensation.update_clocks()


def test_clocks_settle_after_two_seconds() -> None:
    for one_clock in (True, False):
        devices = _Devices(one_clock)
        assert not devices.compensation.settled
        assert devices.compensation.next_block_time(BLOCK) is None
        devices.run(1.9)
        assert not devices.compensation.settled
        devices.run(0.3)
        assert devices.compensation.settled


@pytest.mark.parametrize("one_clock", [True, False])
def test_block_position_is_demand_plus_reserve(one_clock: bool) -> None:
    devices = _Devices(one_clock)
    devices.run(3)
    end = devices.capture.head
    assert devices.compensation.first_position(end) == devices.playback.demand + RESERVE
    assert (
        devices.compensation.position_of(end - BLOCK) == devices.playback.demand + RESERVE - BLOCK
    )


def test_positions_count_in_output_frames() -> None:
    devices = _Devices(False, out=16000)
    devices.run(3)
    end = devices.capture.head
    place = devices.compensation.first_position(end)
    assert place == pytest.approx(devices.playback.demand + RESERVE, abs=2)
    assert devices.compensation.position_of(end - 3 * 480) == place - 480


def test_jitter_lengthens_the_reserve_once() -> None:
    devices = _Devices(False)
    devices.run(6, jitter=0.004)
    devices.compensation.first_position(devices.capture.head)
    assert 0.001 < devices.compensation.jitter < 0.01
    assert devices.compensation.reserve == RESERVE + round(devices.compensation.jitter * RATE)


def test_time_of_the_next_block_is_predicted() -> None:
    devices = _Devices(True)
    devices.run(3)
    due = devices.compensation.next_block_time(BLOCK)
    assert due == pytest.approx((devices.capture.tail + BLOCK) / RATE, abs=1e-4)


@pytest.mark.parametrize("ppm", [100.0, -100.0])
def test_drift_is_known_after_ten_seconds(ppm: float) -> None:
    devices = _Devices(False, ppm)
    devices.run(9)
    assert devices.compensation.drift is None
    devices.run(31)
    assert devices.compensation.drift == pytest.approx(1e-6 * ppm, abs=1e-5)
    assert _Devices(True).compensation.drift == 0.0


def _off(one_clock: bool, seconds: float) -> _Devices:
    """Moves the position of the next block by so many seconds."""
    devices = _Devices(one_clock)
    devices.run(3)
    place = devices.compensation.first_position(devices.capture.head)
    devices.playback.seek(place + round(seconds * RATE))
    return devices


def test_correct_delay_gets_no_correction() -> None:
    for one_clock in (True, False):
        devices = _off(one_clock, 0.0)
        correction = devices.compensation.correct(devices.capture.head, 0.02)
        assert (correction.stretch, correction.jump) == (0.0, 0)
        assert devices.compensation.error == pytest.approx(0, abs=2e-5)


@pytest.mark.parametrize("seconds", [0.002, -0.002])
def test_small_error_is_corrected_by_slow_stretch(seconds: float) -> None:
    devices = _off(False, seconds)
    before = 0.0
    for _ in range(5):
        correction = devices.compensation.correct(devices.capture.head, 0.02)
        assert correction.jump == 0
        assert abs(correction.stretch - before) <= 2.01e-5
        before = correction.stretch
    # Too late: the blocks become shorter.
    assert np.sign(before) == -np.sign(seconds)


def test_error_below_half_a_millisecond_is_ignored() -> None:
    devices = _off(False, 0.0004)
    assert devices.compensation.correct(devices.capture.head, 0.02).stretch == 0.0


@pytest.mark.parametrize(("one_clock", "seconds"), [(True, 0.001), (False, 0.03), (False, -0.03)])
def test_lost_audio_causes_a_jump_after_three_blocks(one_clock: bool, seconds: float) -> None:
    devices = _off(one_clock, seconds)
    jumps = [devices.compensation.correct(devices.capture.head, 0.02).jump for _ in range(3)]
    assert jumps[:2] == [0, 0]
    assert jumps[2] == pytest.approx(seconds * RATE, abs=2)
    assert devices.compensation.realigned == 1


def test_restart_settles_the_clocks_again() -> None:
    devices = _Devices(True)
    devices.run(3)
    devices.compensation.restart()
    assert not devices.compensation.settled
    devices.run(2.2)
    assert devices.compensation.settled
