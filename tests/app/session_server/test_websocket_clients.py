"""WebSocket clients on real sockets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from voicegraph.schemas.control import Answer, ControlLimits, StatusMessage
from voicegraph.schemas.live_command import Mute

from ..client import TOKEN, Client, Serve
from ..fake_live import FakeLive

LARGEST_BODY = ControlLimits().body_bytes
SENT: TypeAdapter[StatusMessage | Answer] = TypeAdapter(StatusMessage | Answer)


def _answer(websocket: ClientConnection) -> Answer:
    """The next answer; statuses in between are skipped."""
    while True:
        message = SENT.validate_json(websocket.recv(20))
        if isinstance(message, Answer):
            return message


def _ask(websocket: ClientConnection, command: Any) -> Answer:
    websocket.send(command if isinstance(command, (str, bytes)) else json.dumps(command))
    return _answer(websocket)


def _last(websocket: ClientConnection) -> tuple[str, int]:
    """The last message before the server closed the connection, and its closing code."""
    text = ""
    for message in _until_the_end(websocket):
        text = message
    assert websocket.close_code is not None
    return text, websocket.close_code


def _until_the_end(websocket: ClientConnection) -> Iterator[str]:
    with suppress(ConnectionClosed):
        while True:
            yield str(websocket.recv(20))


def test_statuses_are_sent_periodically(client: Client, live: FakeLive) -> None:
    with connect(client.websocket + "?rate=30") as websocket:
        for _ in range(3):
            message = SENT.validate_json(websocket.recv(20))
            assert isinstance(message, StatusMessage)
            assert message.status == live.status()


def test_commands_run_and_are_answered(client: Client, live: FakeLive) -> None:
    with connect(client.websocket) as websocket:
        assert _ask(websocket, {"do": "mute"}) == Answer(ok=True, command=Mute())
        assert _ask(websocket, b'{"do": "mute", "on": false}').ok
    assert live.done == [Mute(on=True), Mute(on=False)]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"do": "set", "param": "pitch.nothing", "value": 1}, "no-such-param"),
        ({"do": "set", "param": "broken.param", "value": 1}, "internal"),
        ({"do": "variant"}, "no-variant"),
        ({"do": "mut"}, "no-such-command"),
        ({"token": "unused"}, "no-command"),
        ([], "wrong-type"),
        ("", "no-json"),
        ("{", "no-json"),
        (b"\xff\xfe", "no-json"),
        ("[" * 5000, "no-json"),
    ],
)
def test_failed_command_is_answered_and_connection_stays(
    idle: Client, command: object, code: str
) -> None:
    with connect(idle.websocket) as websocket:
        answer = _ask(websocket, command)
        assert not answer.ok
        assert [problem.code for problem in answer.problems] == [code]
        assert _ask(websocket, {"do": "mute", "on": False}).ok


def test_quick_answers_overtake_slow_ones(client: Client, live: FakeLive) -> None:
    with connect(client.websocket) as websocket:
        swap = {"do": "swap", "overrides": {"block": "20ms"}}
        websocket.send(json.dumps(swap))
        assert _ask(websocket, {"do": "mute"}).command == Mute()
        live.gate.set()
        answer = _answer(websocket)
        assert answer.ok
        assert answer.command is not None
        assert answer.command.do == "swap"


def test_stopped_session_closes_the_connection(client: Client, live: FakeLive) -> None:
    with connect(client.websocket + "?rate=30") as websocket:
        assert _ask(websocket, {"do": "stop"}).ok
        text, code = _last(websocket)
    message = SENT.validate_json(text)
    assert isinstance(message, StatusMessage)
    assert (message.status.state, code) == ("stopped", 1000)


def test_internal_error_closes_the_connection(client: Client, live: FakeLive) -> None:
    with connect(client.websocket) as websocket:
        websocket.recv(20)
        live.broken = True
        assert _last(websocket)[1] == 1011
    live.wait_for(lambda: live.said == ["control: ZeroDivisionError: the fake is broken"])


@pytest.mark.parametrize("rate", ["0", "31", "nan", "often", ""])
def test_invalid_rate_is_refused(idle: Client, rate: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(f"{idle.websocket}?rate={rate}").close()
    assert caught.value.response.status_code == 422
    assert "rate: expected" in caught.value.response.body.decode()


def test_too_large_message_closes_the_connection(idle: Client) -> None:
    with connect(idle.websocket) as websocket:
        websocket.send(json.dumps({"do": "mute", "on": LARGEST_BODY * "x"}))
        assert _last(websocket)[1] == 1009


def test_clients_beyond_the_limit_are_refused(serve: Serve) -> None:
    client = serve(limits=ControlLimits(websocket_clients=2))
    with ExitStack() as stack:
        first, _ = (stack.enter_context(connect(client.websocket)) for _ in range(2))
        with pytest.raises(InvalidStatus) as caught:
            connect(client.websocket).close()
        assert caught.value.response.status_code == 503
        first.close()
        second = _once_there_is_room(client)
        stack.enter_context(second)
        assert second.recv(20)


def _once_there_is_room(client: Client) -> ClientConnection:
    """Tries until the server has noticed that a client has gone."""
    while True:
        with suppress(InvalidStatus):
            return connect(client.websocket)


def test_token_may_be_the_first_message(serve: Serve) -> None:
    client = serve(token=TOKEN)
    with connect(client.websocket) as websocket:
        assert _ask(websocket, {"token": TOKEN}) == Answer(ok=True)
        assert SENT.validate_json(websocket.recv(20)).kind == "status"


@pytest.mark.parametrize("first", ['{"token": "wrong"}', '{"do": "stop"}', "", '{"token": 5}'])
def test_other_first_message_closes_the_connection(
    serve: Serve, live: FakeLive, first: str
) -> None:
    client = serve(token=TOKEN)
    with connect(client.websocket) as websocket:
        answer = _ask(websocket, first)
        assert [problem.code for problem in answer.problems] == ["wrong-token"]
        assert _last(websocket) == ("", 1008)
    assert live.done == []


def test_silent_client_without_token_is_disconnected(serve: Serve) -> None:
    with connect(serve(token=TOKEN, limits=ControlLimits(token_s=0.01)).websocket) as websocket:
        assert _last(websocket)[1] == 1008


def test_silent_clients_take_no_place_from_those_with_the_token(serve: Serve) -> None:
    client = serve(token=TOKEN, limits=ControlLimits(websocket_clients=1))
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connect(client.websocket))
        first = stack.enter_context(connect(client.websocket))
        assert _ask(first, {"token": TOKEN}).ok
        second = stack.enter_context(connect(client.websocket))
        answer = _ask(second, {"token": TOKEN})
        assert [problem.code for problem in answer.problems] == ["too-many"]
        assert _last(second) == ("", 1013)


def test_spectra_come_while_they_are_wanted(client: Client, live: FakeLive) -> None:
    silence = np.zeros((1, 1600), np.float32)
    with connect(f"{client.websocket}?rate=1&spectrum=true") as socket:
        while not live.spectra.wanted:
            json.loads(socket.recv(20))
        live.spectra.put(silence, silence, np.array([200.0]))
        found: list[Any] = []
        while len(found) < 2:
            message = json.loads(socket.recv(20))
            found += [message] if message["kind"] == "spectrum" else []
        first, second = found
        assert (first["number"], second["number"]) == (1, 2)
        assert (len(first["input"]), len(first["output"])) == (64, 64)
        assert first["pitch_hz"] == [200.0]
    deadline = time.monotonic() + 20
    while live.spectra.wanted:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_bad_spectrum_is_refused_in_the_handshake(client: Client) -> None:
    with pytest.raises(InvalidStatus) as caught, connect(f"{client.websocket}?spectrum=maybe"):
        pass
    assert caught.value.response.status_code == 422
