"""Garbage collection between blocks, and the thread switch interval."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from voicegraph.graph.live import interpreter_tuning
from voicegraph.graph.live.interpreter_tuning import GcControl, SwitchInterval


class _Ring:
    """Cyclic garbage, which only a collection frees."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector() -> Iterator[GcControl]:
    made = GcControl()
    yield made
    made.close()


def _dropped() -> weakref.ref[_Ring]:
    return weakref.ref(_Ring())


def _old_garbage(collector: GcControl) -> weakref.ref[_Ring]:
    """Garbage of the oldest generation."""
    ring = _Ring()
    gc.collect(0)
    gc.collect(1)
    return weakref.ref(ring)


def test_gc_is_off_during_a_session_only() -> None:
    assert gc.isenabled()
    collector = GcControl()
    assert not gc.isenabled()
    assert gc.get_freeze_count() > 0
    collector.close()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_gc_stays_off_if_it_was_off() -> None:
    gc.disable()
    try:
        GcControl().close()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_young_garbage_is_collected_every_second(collector: GcControl) -> None:
    begun = collector._young.last_run
    gone = _dropped()
    collector.collect_if_due(begun + 0.5, 0.05)
    assert gone() is not None
    collector.collect_if_due(begun + 1.1, 0.05)
    assert gone() is None


def test_old_garbage_is_collected_every_twenty_seconds(collector: GcControl) -> None:
    begun = collector._old.last_run
    gone = _old_garbage(collector)
    collector.collect_if_due(begun + 19, 0.05)
    assert gone() is not None
    collector.collect_if_due(begun + 21, 0.05)
    assert gone() is None


def test_no_collection_shortly_before_a_block(collector: GcControl) -> None:
    begun = collector._young.last_run
    gone = _dropped()
    collector.collect_if_due(begun + 2, 0.0005)
    assert gone() is not None
    collector._young.duration_s = 0.01
    collector.collect_if_due(begun + 2, 0.015)
    assert gone() is not None
    collector.collect_if_due(begun + 2, 0.025)
    assert gone() is None


@pytest.mark.parametrize("left", [0.0, 0.003])
def test_overdue_collection_runs_despite_short_blocks(collector: GcControl, left: float) -> None:
    begun = collector._old.last_run
    collector._old.duration_s = 1.0
    gone = _old_garbage(collector)
    collector.collect_if_due(begun + interpreter_tuning._PATIENCE * 20 - 1, left)
    assert gone() is not None
    collector.collect_if_due(begun + interpreter_tuning._PATIENCE * 20 + 1, left)
    assert gone() is None


def test_duration_of_collections_is_measured(collector: GcControl) -> None:
    collector._old.duration_s = 1000.0
    collector._old.run(0.0)
    assert 0 < collector._old.duration_s < 10


@pytest.mark.parametrize(("was", "then"), [(0.005, 0.0005), (0.0001, 0.0001)])
def test_switch_interval_is_short_during_a_session(was: float, then: float) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(was)
    try:
        turns = SwitchInterval()
        assert sys.getswitchinterval() == pytest.approx(then, rel=0.05)
        turns.close()
        assert sys.getswitchinterval() == pytest.approx(was, rel=0.05)
    finally:
        sys.setswitchinterval(before)
