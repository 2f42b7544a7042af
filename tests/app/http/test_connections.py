"""Slow, silent and deaf clients on real sockets, with short limits."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from voicegraph.app.http._connections import HttpConnection, WebSocketConnection
from voicegraph.schemas.control import ControlLimits

from ..client import TOKEN, Client, Serve
from ..fake_live import FakeLive

HEAD = b"POST /command HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
PING = b"\x89\xfd\0\0\0\0" + 125 * b"p"
SHORT = ControlLimits(request_s=0.05, keep_alive_s=0.05, send_s=0.05, connections=8)


@contextmanager
def _plain(client: Client, *sent: bytes) -> Iterator[socket.socket]:
    """A connection over which ``sent`` has been sent."""
    with socket.create_connection((client.host, client.port), 20) as opened:
        for data in sent:
            opened.sendall(data)
        yield opened


def _until_closed(opened: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    found = b""
    with suppress(ConnectionResetError):
        while data := opened.recv(65536):
            found += data
    return found


def _send_until_closed(opened: socket.socket, data: bytes) -> None:
    """Sends without reading; fails if the server lets it wait."""
    opened.settimeout(5)
    with suppress(ConnectionError):
        while True:
            opened.sendall(data)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /status HTTP/1.1\r\nHost: local",
        HEAD,
        HEAD + b"Content-Length: 20\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"GET /status HTTP/1.1\r\nHost: localhost\r\nX: " + 9000 * b"x",
    ],
)
def test_unfinished_request_is_answered_and_closed(serve: Serve, sent: bytes) -> None:
    with _plain(serve(limits=SHORT), sent) as opened:
        found = _until_closed(opened)
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout")
    assert b'"code":"too-slow"' in body


def test_silent_connection_is_closed(serve: Serve) -> None:
    with _plain(serve(limits=SHORT)) as opened:
        assert _until_closed(opened) == b""


def test_bytes_one_by_one_do_not_extend_the_time(serve: Serve) -> None:
    began = time.monotonic()
    with _plain(serve(limits=SHORT)) as opened, suppress(ConnectionError):
        for byte in HEAD[:1000]:
            opened.sendall(bytes([byte]))
            time.sleep(0.005)
    assert time.monotonic() - began < 0.005 * len(HEAD)


def test_idle_connection_after_a_response_is_closed(serve: Serve) -> None:
    with _plain(serve(limits=SHORT), b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n") as opened:
        assert _until_closed(opened).startswith(b"HTTP/1.1 200")


def test_body_that_goes_on_after_the_response_is_closed(serve: Serve) -> None:
    """An answer comes before the body: 415, which is sent once."""
    wrong = b"POST /command HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with _plain(serve(limits=SHORT), wrong) as opened:
        found = b""
        with suppress(ConnectionError):
            while True:
                opened.sendall(b"1\r\nx\r\n")
                opened.settimeout(0.01)
                with suppress(TimeoutError):
                    if not (data := opened.recv(65536)):
                        break
                    found += data
    assert found.count(b"HTTP/1.1") == 1
    assert found.startswith(b"HTTP/1.1 415")


def test_too_large_header_is_refused(serve: Serve) -> None:
    with _plain(
        serve(limits=ControlLimits(header_bytes=1024)), HEAD + b"X: " + 2000 * b"x"
    ) as opened:
        assert _until_closed(opened).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "sent", [b"\0\0\0\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\0\x01\r\n\r\n"]
)
def test_what_is_no_http_is_answered_as_any_error(serve: Serve, sent: bytes) -> None:
    with _plain(serve(), sent) as opened:
        head, _, body = _until_closed(opened).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request")
    assert b'"code":"bad-request"' in body


def test_fault_after_the_response_only_closes(
    serve: Serve, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing may be printed: the terminal shows the session."""
    wrong = b"POST /command HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with _plain(serve(), wrong) as opened:
        assert opened.recv(65536).startswith(b"HTTP/1.1 415")
        opened.sendall(b"no size\r\n")
        _until_closed(opened)
    assert capfd.readouterr().err == ""


def test_fault_of_a_connection_is_reported_in_the_session(
    serve: Serve, live: FakeLive, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(HttpConnection, "handle_events", fail)
    with _plain(serve(), HEAD) as opened:
        assert _until_closed(opened) == b""
    live.wait_for(lambda: live.said == ["control: ZeroDivisionError: a bug"])
    assert capfd.readouterr().err == ""


def test_client_that_does_not_read_is_closed(serve: Serve) -> None:
    """Requests for the script, until the server must wait for the client."""
    with _plain(serve(limits=SHORT.model_copy(update={"requests": 100_000}))) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        _send_until_closed(opened, 500 * b"GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_client_is_served_beside_many_slow_ones(serve: Serve, live: FakeLive) -> None:
    client = serve(limits=ControlLimits(connections=8))
    with ExitStack() as stack:
        slow = [
            stack.enter_context(_plain(client, HEAD[: count % len(HEAD)])) for count in range(60)
        ]
        for _ in range(3):
            assert client.get("/status").status == 200
        assert client.post("/command", {"do": "mute"}).status == 200
        assert _until_closed(slow[0]) == b""


def test_client_with_the_token_keeps_its_place(serve: Serve) -> None:
    client = serve(limits=ControlLimits(connections=8), token=TOKEN)
    with ExitStack() as stack:
        first = stack.enter_context(connect(f"{client.websocket}?token={TOKEN}&rate=30"))
        for _ in range(30):
            stack.enter_context(_plain(client))
        silent = stack.enter_context(connect(client.websocket))
        for _ in range(3):
            assert '"status"' in str(first.recv(20))
        assert silent.protocol.state.name == "OPEN"
        second = stack.enter_context(connect(f"{client.websocket}?token={TOKEN}&rate=30"))
        assert '"status"' in str(second.recv(20))


def test_websocket_has_no_deadline_of_requests(serve: Serve) -> None:
    with connect(serve(limits=SHORT).websocket + "?rate=30") as websocket:
        began = time.monotonic()
        while time.monotonic() - began < 4 * SHORT.request_s:
            assert '"status"' in str(websocket.recv(20))


def test_websocket_that_does_not_read_is_closed(serve: Serve) -> None:
    """Pings, whose answers it does not read."""
    with _plain(serve(limits=SHORT), UPGRADE) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        _send_until_closed(opened, 1000 * PING)


def test_websocket_without_a_handshake_is_closed(serve: Serve) -> None:
    """A request to upgrade that announces a body gets no answer."""
    with _plain(serve(limits=SHORT), UPGRADE[:-2] + b"Content-Length: 5\r\n\r\n") as opened:
        opened.settimeout(5)
        assert _until_closed(opened) == b""


def test_websocket_may_not_send_much_before_the_token(serve: Serve) -> None:
    with _plain(serve(token=TOKEN), UPGRADE) as opened:
        assert opened.recv(4096).startswith(b"HTTP/1.1 101")
        opened.settimeout(2)  # the token's time is longer
        with suppress(ConnectionError):
            opened.sendall(100 * PING)
        _until_closed(opened)


def test_empty_fragments_of_a_message_are_not_kept() -> None:
    """A message may be sent in any number of them; its size says nothing of it."""
    connection = object.__new__(WebSocketConnection)
    connection.frames = [b"first"]
    connection.handle_cont(Frame(Opcode.CONT, b"", fin=False))
    connection.handle_cont(Frame(Opcode.CONT, b"second", fin=False))
    assert connection.frames == [b"first", b"second"]
