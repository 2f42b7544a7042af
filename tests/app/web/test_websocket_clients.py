"""WebSocket clients on real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from pydantic import TypeAdapter
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from voicegraph.app.web import _websocket_clients as websocket_clients
from voicegraph.app.web._access_control import LARGEST_BODY
from voicegraph.schemas.control import Answer, StatusMessage
from voicegraph.schemas.live_command import Mute

from ..client import TOKEN, Client, Serve
from ..fake_live import FakeLive

SENT: TypeAdapter[StatusMessage | Answer] = TypeAdapter(StatusMessage | Answer)


def _answer(websocket: ClientConnection) -> Answer:
    """The next one; statuses come in between."""
    while True:
        message = SENT.validate_json(websocket.recv(20))
        if isinstance(message, Answer):
            return message


def _ask(websocket: ClientConnection, command: Any) -> Answer:
    websocket.send(command if isinstance(command, (str, bytes)) else json.dumps(command))
    return _answer(websocket)


def _last(websocket: ClientConnection) -> tuple[str, int]:
    """What was sent before the other side ended it, and its closing code."""
    text = ""
    for message in _until_the_end(websocket):
        text = message
    assert websocket.close_code is not None
    return text, websocket.close_code


def _until_the_end(websocket: ClientConnection) -> Iterator[str]:
    with suppress(ConnectionClosed):
        while True:
            yield str(websocket.recv(20))


def test_statuses_come_again_and_again(client: Client, live: FakeLive) -> None:
    with connect(client.websocket + "?rate=30") as websocket:
        for _ in range(3):
            message = SENT.validate_json(websocket.recv(20))
            assert isinstance(message, StatusMessage)
            assert message.status == live.status()


def test_commands_are_done_and_answered(client: Client, live: FakeLive) -> None:
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
        ({"token": "of nobody's interest"}, "no-command"),
        ([], "wrong-type"),
        ("", "no-json"),
        ("{", "no-json"),
        (b"\xff\xfe", "no-json"),
        ("[" * 5000, "no-json"),
    ],
)
def test_what_cannot_be_done_is_answered_and_the_rest_goes_on(
    idle: Client, command: object, code: str
) -> None:
    with connect(idle.websocket) as websocket:
        answer = _ask(websocket, command)
        assert not answer.ok
        assert [problem.code for problem in answer.problems] == [code]
        assert _ask(websocket, {"do": "mute", "on": False}).ok


def test_answers_of_quick_commands_overtake_slow_ones(client: Client, live: FakeLive) -> None:
    with connect(client.websocket) as websocket:
        swap = {"do": "swap", "overrides": {"block": "20ms"}}
        websocket.send(json.dumps(swap))
        assert _ask(websocket, {"do": "mute"}).command == Mute()
        live.gate.set()
        answer = _answer(websocket)
        assert answer.ok
        assert answer.command is not None
        assert answer.command.do == "swap"


def test_the_end_of_the_session_is_shown_and_ends_it(client: Client, live: FakeLive) -> None:
    with connect(client.websocket + "?rate=30") as websocket:
        assert _ask(websocket, {"do": "stop"}).ok
        text, code = _last(websocket)
    message = SENT.validate_json(text)
    assert isinstance(message, StatusMessage)
    assert (message.status.state, code) == ("stopped", 1000)


def test_a_mistake_of_the_program_ends_the_connection(client: Client, live: FakeLive) -> None:
    with connect(client.websocket) as websocket:
        websocket.recv(20)
        live.broken = True
        assert _last(websocket)[1] == 1011
    live.wait_for(lambda: live.said == ["control: ZeroDivisionError: the fake is broken"])


@pytest.mark.parametrize("rate", ["0", "31", "nan", "often", ""])
def test_rates_that_are_none_are_refused(idle: Client, rate: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(f"{idle.websocket}?rate={rate}").close()
    assert caught.value.response.status_code == 422
    assert "rate: expected" in caught.value.response.body.decode()


def test_large_messages_end_the_connection(idle: Client) -> None:
    with connect(idle.websocket) as websocket:
        websocket.send(json.dumps({"do": "mute", "on": LARGEST_BODY * "x"}))
        assert _last(websocket)[1] == 1009


def test_only_so_many_are_served_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_clients, "MOST_CLIENTS", 2)
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
    """The server hears of a goodbye a moment after it was said."""
    while True:
        with suppress(InvalidStatus):
            return connect(client.websocket)


def test_the_token_may_be_the_first_message(serve: Serve) -> None:
    client = serve(token=TOKEN)
    with connect(client.websocket) as websocket:
        assert _ask(websocket, {"token": TOKEN}) == Answer(ok=True)
        assert SENT.validate_json(websocket.recv(20)).kind == "status"


@pytest.mark.parametrize("first", ['{"token": "wrong"}', '{"do": "stop"}', "", '{"token": 5}'])
def test_another_first_message_ends_it(serve: Serve, live: FakeLive, first: str) -> None:
    client = serve(token=TOKEN)
    with connect(client.websocket) as websocket:
        answer = _ask(websocket, first)
        assert [problem.code for problem in answer.problems] == ["wrong-token"]
        assert _last(websocket) == ("", 1008)
    assert live.done == []


def test_who_says_nothing_is_sent_away(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_clients, "GREETING_S", 0.01)
    with connect(serve(token=TOKEN).websocket) as websocket:
        assert _last(websocket)[1] == 1008
