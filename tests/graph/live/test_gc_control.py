"""Garbage collection between blocks."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from voicegraph.graph.live import _gc_control as gc_control
from voicegraph.graph.live._gc_control import Collector


class _Ring:
    """Garbage that only a search finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def _dropped() -> weakref.ref[_Ring]:
    return weakref.ref(_Ring())


def _old_garbage(collector: Collector) -> weakref.ref[_Ring]:
    """Garbage that has outlived young searches."""
    ring = _Ring()
    gc.collect(0)
    gc.collect(1)
    return weakref.ref(ring)


def test_it_is_off_while_a_session_runs_and_on_again() -> None:
    assert gc.isenabled()
    collector = Collector()
    assert not gc.isenabled()
    assert gc.get_freeze_count() > 0
    collector.close()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_who_had_switched_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        Collector().close()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_young_garbage_is_found_each_second(collector: Collector) -> None:
    begun = collector._young.done
    gone = _dropped()
    collector.between(begun + 0.5, 0.05)
    assert gone() is not None
    collector.between(begun + 1.1, 0.05)
    assert gone() is None


def test_old_garbage_is_found_each_twenty_seconds(collector: Collector) -> None:
    begun = collector._old.done
    gone = _old_garbage(collector)
    collector.between(begun + 19, 0.05)
    assert gone() is not None
    collector.between(begun + 21, 0.05)
    assert gone() is None


def test_nothing_is_searched_where_a_block_is_near(collector: Collector) -> None:
    begun = collector._young.done
    gone = _dropped()
    collector.between(begun + 2, 0.0005)
    assert gone() is not None
    collector._young.takes = 0.01
    collector.between(begun + 2, 0.015)
    assert gone() is not None
    collector.between(begun + 2, 0.025)
    assert gone() is None


@pytest.mark.parametrize("left", [0.0, 0.003])
def test_where_blocks_are_short_it_is_found_late_but_found(
    collector: Collector, left: float
) -> None:
    begun = collector._old.done
    collector._old.takes = 1.0
    gone = _old_garbage(collector)
    collector.between(begun + gc_control._PATIENCE * 20 - 1, left)
    assert gone() is not None
    collector.between(begun + gc_control._PATIENCE * 20 + 1, left)
    assert gone() is None


def test_how_long_it_takes_is_measured(collector: Collector) -> None:
    collector._old.takes = 1000.0
    collector._old.run(0.0)
    assert 0 < collector._old.takes < 10
