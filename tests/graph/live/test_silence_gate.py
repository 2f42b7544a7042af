"""The silence gate: two thresholds and a hold time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.live._silence_gate import SilenceGate

RATE, BLOCK_S = 16000, 0.02
COUNT = round(RATE * BLOCK_S)
LOUD, BETWEEN, QUIET = -30, -53, -70
HOLD = 5


def _gate() -> SilenceGate:
    return SilenceGate(-50, -56, HOLD * BLOCK_S, RATE, BLOCK_S)


def _block(db: float) -> np.ndarray:
    return np.full((1, COUNT), 10 ** (db / 20), np.float32)


def test_gate_closes_after_the_hold_time() -> None:
    gate = _gate()
    should_skip = [gate.should_skip(_block(QUIET)) for _ in range(8)]
    assert should_skip == [False] * HOLD + [True] * 3
    assert gate.skipped_blocks == 3


def test_gate_has_hysteresis_between_thresholds() -> None:
    gate = _gate()
    assert not any(gate.should_skip(_block(BETWEEN)) for _ in range(50))
    for _ in range(HOLD + 1):
        gate.should_skip(_block(QUIET))
    assert all(gate.should_skip(_block(BETWEEN)) for _ in range(50))
    assert not gate.should_skip(_block(LOUD))


def test_sound_restarts_the_hold_time() -> None:
    gate = _gate()
    for db in (QUIET, QUIET, QUIET, QUIET, LOUD):
        assert not gate.should_skip(_block(db))
    assert [gate.should_skip(_block(QUIET)) for _ in range(HOLD + 1)] == [False] * HOLD + [True]


@pytest.mark.parametrize("start", [0, COUNT // 2, COUNT - 160])
def test_ten_milliseconds_in_one_channel_open_the_gate(start: int) -> None:
    gate = _gate()
    for _ in range(20):
        gate.should_skip(np.zeros((2, COUNT), np.float32))
    onset = np.zeros((2, COUNT), np.float32)
    onset[1, start : start + 160] = 0.1
    assert not gate.should_skip(onset)


def test_blocks_may_be_no_multiple_of_10_ms() -> None:
    gate = SilenceGate(-50, -56, 0.1, RATE, 0.003)
    for _ in range(200):
        gate.should_skip(np.zeros((1, 48), np.float32))
    assert not gate.should_skip(np.full((1, 48), 0.1, np.float32))


@given(levels=st.lists(st.sampled_from([LOUD, BETWEEN, QUIET]), max_size=60))
def test_no_sound_above_the_threshold_is_skipped(levels: list[int]) -> None:
    gate = _gate()
    quiet = 0
    for db in levels:
        should_skip = gate.should_skip(_block(db))
        quiet = 0 if db == LOUD else quiet + 1
        assert not (should_skip and quiet <= HOLD)
