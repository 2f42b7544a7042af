"""The capture ring buffer: no lost frames, no unbounded queue."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.live._capture_buffer import CaptureRingBuffer


@given(sizes=st.lists(st.integers(1, 700), min_size=1, max_size=40))
def test_blocks_equal_the_captured_frames(sizes: list[int]) -> None:
    capture = CaptureRingBuffer(2, 256, 2048)
    came = np.arange(2 * sum(sizes), dtype=np.float32).reshape(-1, 2)
    taken, at = [], 0
    for size in sizes:
        capture.callback(came[at : at + size], 0.0, False)
        at += size
        while capture.waiting:
            block = np.empty((2, 256), np.float32)
            capture.take(block)
            taken.append(block.T)
    whole = np.concatenate(taken) if taken else np.zeros((0, 2), np.float32)
    assert np.array_equal(whole, came[: len(whole)])
    assert at - len(whole) < 256


def test_overrun_discards_the_oldest_blocks() -> None:
    capture = CaptureRingBuffer(1, 100, 1000)
    came = np.arange(5050, dtype=np.float32)[:, None]
    for at in range(0, 5050, 50):
        capture.callback(came[at : at + 50], 0.0, False)
    assert capture.discard_overrun() == 42
    block = np.empty((1, 100), np.float32)
    capture.take(block)
    assert np.array_equal(block[0], came[4200:4300, 0])
    assert capture.discard_overrun() == 0


def test_callback_larger_than_the_buffer_keeps_newest() -> None:
    capture = CaptureRingBuffer(1, 10, 40)
    came = np.arange(100, dtype=np.float32)[:, None]
    capture.callback(came, 0.0, False)
    assert capture.head == 100
    capture.discard_overrun()
    block = np.empty((1, 10), np.float32)
    while capture.waiting:
        capture.take(block)
    assert np.array_equal(block[0], came[90:, 0])


def test_lost_input_is_counted() -> None:
    capture = CaptureRingBuffer(1, 10, 40)
    capture.callback(np.zeros((5, 1), np.float32), 0.0, True)
    assert capture.lost == 1
