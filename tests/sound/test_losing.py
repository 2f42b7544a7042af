"""A device is lost while the session runs, and comes back.

All sinks go: PulseAudio moves streams of one that is gone to another, if there is any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _all_are_back(daemon: Any) -> Iterator[None]:
    yield
    daemon.plug_in_all()


@pytest.mark.parametrize(
    ("source", "target"),
    [
        pytest.param("duplex_a", "duplex_a", id="one"),
        pytest.param("mon_a", "loop_b", id="two", marks=pytest.mark.slow),
    ],
)
def test_session_waits_for_a_lost_device(
    daemon: Any,
    listening: Any,
    passing: Any,
    noise: Any,
    lag_at: Any,
    wait_for: Callable[..., None],
    source: str,
    target: str,
) -> None:
    live, ear = listening(passing(), source, target, noise, margin_s=0.02)
    ear.wait(live.stopped, 0.5)
    delay = live.status().latency.buffering_ms
    daemon.unplug("b")
    daemon.unplug("a")
    wait_for(live, lambda: live.state == "waiting")
    assert any("waiting for it to come back" in text for text in live.messages.texts)
    daemon.plug_in_all()
    wait_for(live, lambda: live.state == "running")
    assert any("the device is back" in text for text in live.messages.texts)
    ear.wait(live.stopped, 2)
    assert lag_at(ear.heard, ear.count - 24000) != -1 or live.loop.compensation.stretch
    assert live.status().latency.buffering_ms == pytest.approx(delay, abs=25)
    assert live.error is None
