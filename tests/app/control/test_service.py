"""Commands that take long wait for each other, not for those that do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from voicegraph.app.control.service import Desk
from voicegraph.graph.errors import Problem, StateError, VoicegraphError
from voicegraph.schemas.live_command import LiveCommand, Mute, SetParam, Swap

from ..fake_live import FakeLive

SWAP = Swap(overrides={"block": "20ms"})


@pytest.fixture
def desk(live: FakeLive) -> Iterator[Desk]:
    made = Desk(live)
    yield made
    live.gate.set()
    made.close()


def _problem(desk: Desk, command: LiveCommand) -> Problem:
    error = desk.submit(command).exception(20)
    assert isinstance(error, VoicegraphError)
    return error.problems[0]


def test_who_looks_within_a_thirtieth_of_a_second_sees_the_same(
    desk: Desk, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    first = desk.status()
    live.on["mute"] = True
    now += 0.03
    assert desk.status() is first
    now += 0.01
    assert desk.status().muted


def test_what_was_done_is_seen_at_once(
    desk: Desk, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    assert not desk.status().muted
    desk.submit(Mute())
    assert desk.status().muted
    live.stopped.set()
    assert desk.status().state == "stopped"


def test_a_param_is_never_an_old_one(desk: Desk, live: FakeLive) -> None:
    desk.status()
    live.values["pitch.transpose"] = 5
    assert desk.param("pitch.transpose").value == 5


def test_slow_commands_go_one_after_another(desk: Desk, live: FakeLive) -> None:
    swaps = [Swap(overrides={"seed": number}) for number in range(3)]
    waiting = [desk.submit(swap) for swap in swaps]
    assert desk.submit(Mute()).done()
    live.gate.set()
    for done in waiting:
        done.result(20)
    assert live.done == [Mute(), *swaps]


def test_the_end_waits_for_what_is_being_done_and_gives_up_the_rest(live: FakeLive) -> None:
    desk = Desk(live)
    begun, behind = desk.submit(SWAP), desk.submit(SWAP)
    while not begun.running():
        pass
    live.gate.set()
    desk.close()
    assert begun.result(0) is None
    assert behind.cancelled() or behind.result(0) is None
    assert _problem(desk, SWAP).code == "ended"


def test_nothing_is_done_after_the_end_of_the_session(desk: Desk, live: FakeLive) -> None:
    live.stopped.set()
    assert _problem(desk, Mute()).code == "ended"
    assert _problem(desk, SWAP).code == "ended"
    assert live.done == []


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {"dry": float("nan")}, [1, [float("-inf")]]]
)
def test_numbers_that_are_none_are_refused_wherever_they_stand(desk: Desk, value: object) -> None:
    assert _problem(desk, SetParam(param="pitch.transpose", value=value)).code == "value"


def test_an_unknown_param_is_told_with_the_known_ones(desk: Desk) -> None:
    with pytest.raises(StateError, match=r"live params: pitch\.transpose"):
        desk.param("pitch.nothing")
