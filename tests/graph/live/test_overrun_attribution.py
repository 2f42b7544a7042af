"""Which node made a block late."""

from __future__ import annotations

import pytest

from voicegraph.graph.live._overrun_attribution import SYSTEM, Blame

BLOCK = 0.1


def _usual(blame: Blame, **nodes: float) -> None:
    for _ in range(30):
        blame.take({**nodes, "total": sum(nodes.values())})


def test_who_takes_much_longer_than_usual_is_blamed_not_who_takes_most() -> None:
    blame = Blame()
    _usual(blame, f0=0.06, synth=0.01)
    blame.take({"f0": 0.065, "synth": 0.05, "total": 0.115})
    assert blame.name(BLOCK) == "synth"
    assert blame.counts == {"synth": 1}
    assert blame.total_s == pytest.approx(0.115)


def test_where_all_is_as_usual_it_is_the_system() -> None:
    blame = Blame()
    _usual(blame, f0=0.02, synth=0.01)
    blame.take({"f0": 0.02, "synth": 0.012, "total": 0.032})
    assert blame.name(BLOCK) == SYSTEM


def test_who_is_always_too_slow_is_blamed_though_it_is_usual() -> None:
    blame = Blame()
    _usual(blame, f0=0.11, synth=0.02)
    assert blame.name(BLOCK) == "f0"


def test_before_any_tick_it_is_the_system() -> None:
    assert Blame().name(BLOCK) == SYSTEM


def test_a_node_that_was_exchanged_is_blamed_no_more() -> None:
    blame = Blame()
    _usual(blame, f0=0.02, old=0.01)
    blame.take({"f0": 0.02, "old": 0.09, "total": 0.11})
    for _ in range(3):
        blame.take({"f0": 0.02, "total": 0.02})
    assert blame.name(BLOCK) == SYSTEM
    blame.take({"f0": 0.12, "total": 0.12})
    assert blame.name(BLOCK) == "f0"


def test_one_slow_tick_hardly_changes_what_is_usual() -> None:
    blame = Blame()
    _usual(blame, f0=0.01)
    blame.take({"f0": 5.0, "total": 5.0})
    blame.take({"f0": 0.03, "total": 0.03})
    assert blame.name(BLOCK) == "f0"
