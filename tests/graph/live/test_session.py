"""A live session from its start to its end, on simulated cards."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from voicegraph.graph.errors import DeviceError, OutputError, Problem
from voicegraph.graph.live import _device_clock as device_clock
from voicegraph.graph.live import _drift_compensation as drift_compensation
from voicegraph.graph.live import _shutdown, health
from voicegraph.graph.live import session as live
from voicegraph.graph.live.session import LiveSession

from .conftest import RATE, StillCard

PERIOD = 480


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortens the waits for clocks and devices."""
    monkeypatch.setattr(drift_compensation, "_SETTLING", 0.05)
    monkeypatch.setattr(device_clock, "_SETTLED", 0.01)
    monkeypatch.setattr(live, "_RETRY_S", 0.005)


class RunningCard(StillCard):
    """One clock, a callback every 10 ms, and a tone."""

    def __init__(self) -> None:
        super().__init__()
        self.said = np.full((PERIOD, 1), 0.25, np.float32)
        self.played = 0.0
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, capture: Any, play: Any) -> None:
        super().start(capture, play)

        def run() -> None:
            into = np.zeros((PERIOD, 1), np.float32)
            while not self._end.wait(PERIOD / RATE):
                if self.lost is not None:
                    continue
                now = time.perf_counter()
                capture(self.said, now, False)
                play(into, now, False)
                self.played = max(self.played, float(np.abs(into).max()))

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def stop(self) -> None:
        super().stop()
        self._end.set()
        if self._thread is not None:
            self._thread.join()


def _wait(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def _messages(session: LiveSession) -> str:
    return "\n".join(session.messages.texts)


def test_session_plays_until_it_is_stopped(make_live: Callable[..., LiveSession]) -> None:
    card = RunningCard()
    session = make_live(card=card)
    assert session.state == "starting"
    session.start()
    _wait(lambda: card.played > 0.2)
    assert session.state == "running"
    assert "engine: " in _messages(session)
    assert not gc.isenabled()
    assert sys.getswitchinterval() < 0.001
    session.stop()
    session.stop()
    assert (session.state, session.error, card.stopped) == ("stopped", None, 1)
    assert session.stopped.is_set()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert sys.getswitchinterval() == pytest.approx(0.005, rel=0.1)
    assert session.status().state == "stopped"


def test_request_stop_returns_at_once(make_live: Callable[..., LiveSession]) -> None:
    session = make_live(card=RunningCard())
    session.start()
    session.request_stop()
    assert session.stopping
    assert session.stopped.wait(20)


def test_stop_closes_a_session_never_started(make_live: Callable[..., LiveSession]) -> None:
    card = StillCard()
    session = make_live(card=card)
    session.stop()
    session.stop()
    assert (card.started, card.stopped, session.state) == (0, 1, "stopped")
    assert gc.isenabled()


def test_card_that_fails_to_start_is_closed(make_live: Callable[..., LiveSession]) -> None:
    class Broken(StillCard):
        def start(self, capture: Any, play: Any) -> None:
            raise DeviceError(Problem("device-busy", "busy"))

    card = Broken()
    session = make_live(card=card)
    with pytest.raises(DeviceError):
        session.start()
    session.stop()
    assert card.stopped == 1
    assert gc.isenabled()
    assert session.stopped.is_set()


def test_session_resumes_when_a_device_returns(make_live: Callable[..., LiveSession]) -> None:
    card = RunningCard()
    session = make_live(card=card)
    session.start()
    _wait(lambda: card.played > 0.2)
    card.lost = "Microphone has stopped"
    _wait(lambda: session.state == "waiting")
    assert "Microphone has stopped; waiting for it to come back" in _messages(session)
    tick = session.session.position
    card.returns = [False, False, True]
    _wait(lambda: session.state == "running")
    _wait(lambda: session.session.position > tick + 2)
    assert "the device is back" in _messages(session)
    assert session.error is None


def test_session_stops_while_a_device_is_away(
    make_live: Callable[..., LiveSession],
) -> None:
    card = RunningCard()
    session = make_live(card=card)
    card.lost = "gone"
    session.start()
    _wait(lambda: session.state == "waiting")
    session.stop()
    assert session.state == "stopped"


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), DeviceError(Problem("x", "theirs"))])
def test_exception_of_the_card_ends_the_session(
    make_live: Callable[..., LiveSession], error: Exception
) -> None:
    class Broken(StillCard):
        def __getattribute__(self, name: str) -> Any:
            if name == "lost" and self.started:
                raise error
            return super().__getattribute__(name)

    card = Broken()
    session = make_live(card=card)
    session.start()
    assert session.stopped.wait(20)
    assert session.error is error
    assert card.stopped == 1


def test_failing_node_is_named_and_the_session_goes_on(
    make_live: Callable[..., LiveSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = RunningCard()
    session = make_live(card=card)
    gain = session.session.engine.by_name["pass"].node
    process = gain.process

    def fails_once(*args: Any) -> Any:
        monkeypatch.setattr(gain, "process", process)
        raise ZeroDivisionError("a bug")

    session.start()
    _wait(lambda: card.played > 0.2)
    monkeypatch.setattr(gain, "process", fails_once)
    _wait(lambda: "s after pass had failed" in _messages(session))
    assert "node pass (dsp.gain) failed: ZeroDivisionError: a bug" in _messages(session)
    assert "the output is silent, and its state is set up anew" in _messages(session)
    health = session.status().health
    assert (health.node_faults, health.silenced_by) == ({"pass": 1}, None)
    assert health.events[0] == "nodes failed: pass once; 20 ms without output"
    assert session.error is None


def test_failure_at_the_end_still_closes_the_rest(
    make_live: Callable[..., LiveSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = RunningCard()
    session = make_live(card=card, monitor=True)
    full = OutputError(Problem("cannot-write", "the recording ends early"))
    closed: list[str] = []

    def stops() -> None:
        RunningCard.stop(card)
        raise full

    monkeypatch.setattr(card, "stop", stops)
    monkeypatch.setattr(session.session, "close", lambda wait_s: closed.append("session"))
    session.start()
    dry = session.loop.dry
    assert dry is not None
    monkeypatch.setattr(dry, "close", lambda: closed.append("dry"))
    session.stop()
    assert session.error is full
    assert closed == ["dry", "session"]
    assert gc.isenabled()


class HangingCard(RunningCard):
    """Does not close."""

    released = threading.Event()

    def stop(self) -> None:
        self.released.wait(20)
        super().stop()


def _hang(live_session: LiveSession, what: str, released: threading.Event) -> None:
    """Makes one part of a running session hang."""
    session = live_session.session
    inside = threading.Event()

    def hang(*_: object) -> None:
        inside.set()
        released.wait(20)

    if what == "recorder":
        session._files.recording.recorder = recorder = Mock()
        recorder.close = lambda: released.wait(20)
    elif what == "node":
        step = session.engine.steps[0]
        step.node.process = hang  # pyright: ignore[reportAttributeAccessIssue]
        assert inside.wait(20)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("device", "the sound device does not close"),
        ("recorder", "the session's files"),
        ("node", "node pass (dsp.gain) does not return"),
    ],
)
def test_session_stops_although_a_part_hangs(
    make_live: Callable[..., LiveSession], monkeypatch: pytest.MonkeyPatch, what: str, said: str
) -> None:
    monkeypatch.setattr(_shutdown, "ENGINE_S", 0.05)
    monkeypatch.setattr(_shutdown, "PARTS_S", 0.1)
    released = threading.Event()
    monkeypatch.setattr(HangingCard, "released", released)
    card = HangingCard() if what == "device" else RunningCard()
    session = make_live(card=card)
    session.start()
    _wait(lambda: card.played > 0.2)
    _hang(session, what, released)
    session.request_stop()
    assert session.stopped.wait(20)
    assert session.state == "stopped"
    assert said in str(session.error)
    assert said in _messages(session)
    assert len(session.unfinished) >= 1
    released.set()


def test_health_names_a_node_that_hangs(
    make_live: Callable[..., LiveSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "HANGING_S", 0.05)
    released = threading.Event()
    session = make_live(card=RunningCard())
    session.start()
    _hang(session, "node", released)
    _wait(lambda: session.status().health.hanging_s > 0)
    found = session.status().health
    assert found.hanging_node == "pass"
    assert found.events[0].startswith("the output is silent: pass has been processing one block")
    released.set()
    _wait(lambda: session.status().health.hanging_node is None)
    session.stop()


def test_all_limits_of_the_end_are_within_two_seconds() -> None:
    assert _shutdown.ENGINE_S + _shutdown.PARTS_S < _shutdown.LIMIT_S <= 2


def test_loop_events_become_messages(make_live: Callable[..., LiveSession]) -> None:
    session = make_live()
    session._note(3, late=12.34, blamed="f0")
    session._note(4, dropped=2)
    session._note(5, realigned=-3.0)
    session._note(6, silence=7)
    assert session.messages.texts == [
        "overrun: a block was late by 12.3 ms: f0",
        "dropped 2 blocks that came too late to be played",
        "delay corrected by -3.0 ms",
    ]


def test_old_name_of_the_class_still_works() -> None:
    assert live.Live is LiveSession
