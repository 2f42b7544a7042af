"""Statistics for the status: few, shared by all readers, and never in the engine's way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.live._timing_cache import EVERY_S, TimingCache
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.runtime import timing
from voicegraph.graph.runtime.hot_swap import HotSwap, plan_change


def test_thirty_readers_a_second_share_a_few_computations(
    make_live: Callable[..., LiveSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_live().session
    now = 100.0
    cache = TimingCache(session, lambda: now)
    computed: list[Any] = []
    timings = session.timings
    monkeypatch.setattr(session, "timings", lambda: computed.append(now) or timings())
    for _ in range(30):
        cache.read()
        cache.read()
        now += 1 / 30
    assert len(computed) <= 1 / EVERY_S + 1


def test_hot_swap_is_visible_at_once(make_live: Callable[..., LiveSession]) -> None:
    session = make_live().session
    cache = TimingCache(session, lambda: 100.0)
    before, _ = cache.read()
    changed = plan_change(session, {"nodes.pass.enabled": False})
    session.begin_swap(HotSwap(session, changed, {}, fade_at=0))
    session.process(np.zeros((1, 960), np.float32))
    after, timings = cache.read()
    assert after is changed is not before
    assert {node.name for node in after.nodes} <= timings.keys()


def test_engine_does_not_wait_for_statistics(
    make_live: Callable[..., LiveSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = make_live()
    computing, go_on = threading.Event(), threading.Event()
    summary = timing.TimingRing.summary

    def slow_summary(ring: timing.TimingRing) -> timing.Timing:
        computing.set()
        assert go_on.wait(20)
        return summary(ring)

    monkeypatch.setattr(timing.TimingRing, "summary", slow_summary)
    reader = threading.Thread(target=live.status)
    reader.start()
    assert computing.wait(20)
    for _ in range(5):
        live.session.process(np.zeros((1, 960), np.float32))  # on this thread, without an end
    assert live.session.position == 5
    go_on.set()
    reader.join()
