"""The ring buffer of compute times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.runtime.timing import KEPT, Timing, TimingRing


def test_an_empty_ring_is_all_zero() -> None:
    assert TimingRing().summary() == Timing(0.0, 0.0, 0.0, 0)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50))
def test_times_are_in_milliseconds(times: list[int]) -> None:
    ring = TimingRing()
    for time in times:
        ring.add(time)
    found = ring.summary()
    assert found.ticks == len(times)
    assert found.max_ms == pytest.approx(max(times) / 1e6)
    assert min(times) / 1e6 <= found.median_ms <= found.p99_ms <= found.max_ms * (1 + 1e-12)
    middle = sorted(times)[(len(times) - 1) // 2], sorted(times)[len(times) // 2]
    assert found.median_ms == pytest.approx(sum(middle) / 2e6)


def test_only_the_newest_are_kept_and_all_are_counted() -> None:
    ring = TimingRing()
    ring.add(10**9)
    for _ in range(KEPT):
        ring.add(1000)
    assert ring.summary() == Timing(0.001, 0.001, 0.001, KEPT + 1)
    ring.clear()
    assert ring.summary().ticks == 0
