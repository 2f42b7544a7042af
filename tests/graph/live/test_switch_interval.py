"""How long a thread may keep the interpreter."""

from __future__ import annotations

import sys

import pytest

from voicegraph.graph.live._switch_interval import SwitchInterval


@pytest.mark.parametrize(("was", "then"), [(0.005, 0.0005), (0.0001, 0.0001)])
def test_it_is_short_while_a_session_runs(was: float, then: float) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(was)
    try:
        turns = SwitchInterval()
        assert sys.getswitchinterval() == pytest.approx(then, rel=0.05)
        turns.close()
        assert sys.getswitchinterval() == pytest.approx(was, rel=0.05)
    finally:
        sys.setswitchinterval(before)
