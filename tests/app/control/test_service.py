"""Slow commands wait for each other; quick ones wait for nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from voicegraph.app.control.service import Service
from voicegraph.graph.errors import Problem, StateError, VoicegraphError
from voicegraph.schemas.live_command import Bypass, LiveCommand, Mute, SetParam, Swap
from voicegraph.schemas.live_status import LiveStatus

from ..fake_live import FakeLive

SWAP = Swap(overrides={"block": "20ms"})


@pytest.fixture
def service(live: FakeLive) -> Iterator[Service]:
    made = Service(live)
    yield made
    live.gate.set()
    made.close()


def _problem(service: Service, command: LiveCommand) -> Problem:
    error = service.submit(command).exception(20)
    assert isinstance(error, VoicegraphError)
    return error.problems[0]


def test_status_is_cached_for_a_thirtieth_second(
    service: Service, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("voicegraph.app.control.service.monotonic", lambda: now)
    first = service.status()
    live.on["mute"] = True
    now += 0.03
    assert service.status() is first
    now += 0.01
    assert service.status().muted


def test_command_or_end_refreshes_the_status(
    service: Service, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicegraph.app.control.service.monotonic", lambda: 100.0)
    assert not service.status().muted
    service.submit(Mute())
    assert service.status().muted
    live.stopped.set()
    assert service.status().state == "stopped"


def test_command_does_not_wait_for_a_status(
    service: Service, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on = threading.Event(), threading.Event()
    status = live.status

    def slow_status() -> LiveStatus:
        found = status()
        reading.set()
        assert go_on.wait(20)
        return found

    monkeypatch.setattr(live, "status", slow_status)
    reader = threading.Thread(target=service.status)
    reader.start()
    assert reading.wait(20)
    service.submit(Mute())  # on this thread, without an end
    assert live.on["mute"]
    go_on.set()
    reader.join()
    assert service.status().muted  # the status from before the command is not kept


def test_param_is_never_cached(service: Service, live: FakeLive) -> None:
    service.status()
    live.values["pitch.transpose"] = 5
    assert service.param("pitch.transpose").value == 5


def test_slow_commands_run_in_order_quick_ones_first(service: Service, live: FakeLive) -> None:
    swaps = [Swap(overrides={"seed": number}) for number in range(3)]
    waiting = [service.submit(swap) for swap in swaps]
    assert service.submit(Mute()).done()
    live.gate.set()
    for done in waiting:
        done.result(20)
    assert live.done == [Mute(), *swaps]


def test_close_waits_for_running_and_cancels_waiting(live: FakeLive) -> None:
    service = Service(live)
    running, waiting = service.submit(SWAP), service.submit(SWAP)
    while not running.running():
        pass
    live.gate.set()
    service.close()
    assert running.result(0) is None
    assert waiting.cancelled() or waiting.result(0) is None
    assert _problem(service, SWAP).code == "ended"


def test_no_command_runs_after_the_session(service: Service, live: FakeLive) -> None:
    live.stopped.set()
    assert _problem(service, Mute()).code == "ended"
    assert _problem(service, SWAP).code == "ended"
    assert live.done == []


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {"dry": float("nan")}, [1, [float("-inf")]]]
)
def test_non_finite_values_are_errors_at_any_depth(service: Service, value: object) -> None:
    assert _problem(service, SetParam(param="pitch.transpose", value=value)).code == "value"


def test_unknown_param_error_lists_live_params(service: Service) -> None:
    with pytest.raises(StateError, match=r"live params: pitch\.transpose"):
        service.param("pitch.nothing")


def test_swap_is_done_when_its_nodes_are_heard(
    service: Service, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: Future[None] = Future()
    monkeypatch.setattr(live, "command", lambda _: heard)
    done = service.submit(SWAP)
    while not done.running():
        pass
    heard.set_exception(StateError(Problem("no-headroom", "a block would take 97 ms")))
    assert "97 ms" in str(done.exception(20))


def test_param_of_a_node_that_is_being_swapped_in_is_set_afterwards(
    service: Service, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = live.command

    def command(command: LiveCommand) -> None:
        run(command)
        if isinstance(command, Swap):
            live.values["new.param"] = 0.0

    monkeypatch.setattr(live, "command", command)
    swapping = service.submit(SWAP)
    setting = service.submit(SetParam(param="new.param", value=3))
    assert not setting.done()
    live.gate.set()
    swapping.result(20)
    setting.result(20)
    assert live.values["new.param"] == 3
    assert _problem(service, SetParam(param="no.param", value=3)).code == "no-such-param"


def test_second_toggle_undoes_the_first_that_still_waits(service: Service, live: FakeLive) -> None:
    service.submit(SWAP)
    commands = []
    for _ in range(3):
        commands.append(service.toggled_bypass("limiter"))
        service.submit(commands[-1])
    live.gate.set()
    assert [command.on for command in commands] == [True, False, True]


def test_close_does_not_wait_for_a_command_that_hangs(
    live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicegraph.app.control.service._CLOSING_S", 0.01)
    service = Service(live)
    hanging, waiting = service.submit(SWAP), service.submit(Bypass(node="limiter"))
    while not hanging.running():
        pass
    service.close()
    assert not hanging.done()
    assert waiting.cancelled()
    live.gate.set()
    hanging.result(20)
