"""Checks of hosts, origins, tokens and bodies, of requests and WebSocket handshakes."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from voicegraph.app.control.addresses import Address
from voicegraph.app.http.access_control import AccessControl
from voicegraph.schemas.control import ControlLimits

from ..client import TOKEN, Client, Serve
from ..fake_live import FakeLive

LARGEST_BODY = ControlLimits().body_bytes
BEARER = f"Bearer {TOKEN}"


def _handshake_error(client: Client, query: str = "", **headers: str) -> tuple[int, str]:
    """Status and problem code of a rejected handshake."""
    with pytest.raises(InvalidStatus) as caught:
        connect(client.websocket + query, additional_headers=headers).close()
    response = caught.value.response
    code = response.body.decode().partition('"code":"')[2].partition('"')[0]
    return response.status_code, code


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LocalHost"])
@pytest.mark.parametrize("port", ["", ":8765", ":1"])
def test_names_of_this_machine_are_allowed(idle: Client, name: str, port: str) -> None:
    """The port is not compared: the other end of a tunnel may have another one."""
    assert idle.get("/status", Host=name + port).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example",
     "192.168.1.5", "[::2]", "", "[", "user@localhost.evil.example", "user@localhost",
     "localhost/", "localhost#", "localhost?x", "localhost:1:2", "localhost:a", "localhost, other"],
)  # fmt: skip
def test_other_host_names_are_forbidden(idle: Client, host: str) -> None:
    reply = idle.get("/status", Host=host)
    assert (reply.status, reply.code) == (403, "wrong-host")


def test_request_without_host_is_forbidden(idle: Client) -> None:
    with socket.create_connection((idle.host, idle.port), 20) as plain:
        plain.sendall(b"GET /status HTTP/1.0\r\n\r\n")
        assert b"403" in plain.makefile("rb").readline()


def test_two_host_headers_are_forbidden(idle: Client) -> None:
    with socket.create_connection((idle.host, idle.port), 20) as plain:
        plain.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert plain.makefile("rb").readline().split()[1] in (b"400", b"403")


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://localhost", "http://localhost:1", "null", "",
     "http://[", "file://", "http://127.0.0.1:{port}/", "http://user@127.0.0.1:{port}",
     "ftp://127.0.0.1:{port}"],
)  # fmt: skip
def test_other_origins_are_forbidden(idle: Client, origin: str) -> None:
    """Another port is another origin, even on this machine."""
    origin = origin.replace("{port}", str(idle.port))
    reply = idle.post("/command", {"do": "mute"}, Origin=origin)
    assert (reply.status, reply.code) == (403, "wrong-origin")
    assert not [name for name in reply.headers if name.startswith("access-control")]
    assert _handshake_error(idle, Origin=origin) == (403, "wrong-origin")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_commands_of_other_pages_are_forbidden(idle: Client, site: str) -> None:
    """A page without an origin in its requests; links to our page may come from anywhere."""
    headers = {"Sec-Fetch-Site": site}
    reply = idle.ask("POST", "/toggle/mute", None, headers)
    assert (reply.status, reply.code) == (403, "wrong-origin")
    assert idle.ask("GET", "/", None, headers).status == 200


def test_own_origin_is_allowed(client: Client, live: FakeLive) -> None:
    origin = f"http://127.0.0.1:{client.port}"
    assert client.post("/command", {"do": "mute"}, Origin=origin).status == 200
    with connect(client.websocket, additional_headers={"Origin": origin}) as websocket:
        assert '"kind":"status"' in str(websocket.recv(20))
    assert live.on["mute"]


def test_websocket_with_other_host_is_forbidden(idle: Client) -> None:
    host = f"evil.example:{idle.port}"
    with socket.create_connection((idle.host, idle.port), 20) as plain:
        plain.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b"403" in plain.makefile("rb").readline()


def test_cors_preflight_is_forbidden(idle: Client) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}
    reply = idle.ask("OPTIONS", "/params/pitch.transpose", None, asked)
    assert reply.status == 403
    assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"],
)
def test_content_types_of_forms_are_refused(idle: Client, kind: str) -> None:
    for method, path in (("POST", "/command"), ("PUT", "/params/pitch.transpose")):
        reply = idle.ask(method, path, '{"do": "stop"}', {"Content-Type": kind})
        assert (reply.status, reply.code) == (415, "no-json")


def test_json_content_type_with_charset_is_accepted(client: Client) -> None:
    kind = {"Content-Type": "application/JSON; charset=utf-8"}
    assert client.ask("POST", "/command", '{"do": "mute"}', kind).status == 200


def test_too_large_bodies_are_refused(idle: Client) -> None:
    text = '{"do": "mute", "on": "' + LARGEST_BODY * "x" + '"}'
    declared = idle.post("/command", text)
    assert (declared.status, declared.code) == (413, "too-large")
    pieces = {"Transfer-Encoding": "chunked"}
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text.encode())
    chunked = idle.ask("POST", "/command", chunk, pieces)
    assert (chunked.status, chunked.code) == (413, "too-large")


def test_largest_body_is_accepted(client: Client) -> None:
    text = '{"do": "mute"}'.ljust(LARGEST_BODY)
    assert client.post("/command", text, **{"Content-Type": "application/json"}).status == 200


@pytest.mark.parametrize(
    "given",
    [None, "", TOKEN, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x",
     f"Bearer {TOKEN[:-1]}", "Bearer é"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/status", "/params", "/openapi.json", "/ws", "/nowhere"])
def test_request_without_token_is_unauthorized(
    locked: Client, path: str, given: str | None
) -> None:
    headers = {} if given is None else {"Authorization": given}
    reply = locked.get(path, **headers)
    assert (reply.status, reply.code) == (401, "wrong-token")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in reply.text


def test_command_without_token_does_not_run(serve: Serve, live: FakeLive) -> None:
    client = serve(token=TOKEN)
    assert client.post("/command", {"do": "mute"}).status == 401
    assert client.post("/command?token=" + TOKEN, {"do": "mute"}).status == 401
    assert live.done == []
    assert client.post("/command", {"do": "mute"}, Authorization=BEARER).status == 200


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css"])
def test_page_itself_needs_no_token(locked: Client, path: str) -> None:
    assert locked.get(path).status == 200


def test_websocket_token_in_header_or_query(locked: Client) -> None:
    for query, headers in ((f"?token={TOKEN}", {}), ("", {"Authorization": BEARER})):
        with connect(locked.websocket + query, additional_headers=headers) as websocket:
            assert '"kind":"status"' in str(websocket.recv(20))
    assert _handshake_error(locked, "?token=wrong") == (401, "wrong-token")
    assert _handshake_error(locked, Authorization="Bearer wrong") == (401, "wrong-token")


def test_every_response_has_security_headers(idle: Client) -> None:
    for reply in (idle.get("/"), idle.get("/status"), idle.get("/status", Host="evil.example")):
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"


def test_unspecified_address_allows_the_machines_names(serve: Serve) -> None:
    """Listening on all addresses needs a token."""
    client = serve("0.0.0.0", token=TOKEN)
    own = (socket.gethostname(), f"127.0.0.1:{client.port}")
    codes = [client.get("/status", Authorization=BEARER, Host=host).status for host in own]
    assert codes == [200, 200]
    reply = client.get("/status", Authorization=BEARER, Host="evil.example")
    assert reply.code == "wrong-host"


def test_requests_without_the_token_share_a_budget() -> None:
    """One is answered at once, the next has to wait; those with the token do not wait for it."""
    address = Address("--http", "localhost", "127.0.0.1", 80)
    answered: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answered.append("app")

    control = AccessControl(app, address, TOKEN, frozenset(), print, ControlLimits(refusals=4))

    async def ask(name: str, *headers: tuple[bytes, bytes]) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(f"{name} {message['status']}")

        scope = {"type": "http", "method": "GET", "path": "/status", "query_string": b"",
                 "headers": [(b"host", b"localhost"), *headers]}  # fmt: skip
        await control(scope, asyncio.Queue().get, sent)

    async def ask_all() -> None:
        bearer = (b"authorization", BEARER.encode())
        await asyncio.gather(ask("first"), ask("second"), ask("third", bearer))

    asyncio.run(ask_all())
    assert answered == ["first 401", "app", "second 401"]


def test_reads_and_commands_wait_for_their_own_budgets(serve: Serve) -> None:
    client = serve(limits=ControlLimits(requests=10, commands=10))
    began = time.monotonic()
    for _ in range(12):  # two at once, then ten a second
        assert client.get("/status").status == 200
    assert time.monotonic() - began > 0.9
    began = time.monotonic()
    assert client.post("/command", '{"do": "mute"}').status == 200
    assert time.monotonic() - began < 0.5
    with connect(client.websocket) as websocket:
        began = time.monotonic()
        for _ in range(12):
            websocket.send('{"do": "mute"}')
        answers = 0
        while answers < 12:
            answers += '"answer"' in str(websocket.recv(20))
        assert time.monotonic() - began > 0.8
