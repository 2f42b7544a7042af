"""Who is let in: names, origins, tokens, kinds and sizes of bodies; handshakes, too."""

from __future__ import annotations

import socket

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from voicegraph.app.web._access_control import LARGEST_BODY

from ..client import TOKEN, Client, Serve
from ..fake_live import FakeLive

BEARER = f"Bearer {TOKEN}"


def _refused_handshake(client: Client, query: str = "", **headers: str) -> tuple[int, str]:
    """Status and problem of a WebSocket that is not opened."""
    with pytest.raises(InvalidStatus) as caught:
        connect(client.websocket + query, additional_headers=headers).close()
    response = caught.value.response
    code = response.body.decode().partition('"code":"')[2].partition('"')[0]
    return response.status_code, code


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LocalHost"])
@pytest.mark.parametrize("port", ["", ":8765", ":1"])
def test_names_of_this_machine_are_served(idle: Client, name: str, port: str) -> None:
    """The port is not compared: a tunnel has another one at its other end."""
    assert idle.get("/status", Host=name + port).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example",
     "192.168.1.5", "[::2]", "", "[", "user@localhost.evil.example"],
)  # fmt: skip
def test_other_names_are_refused(idle: Client, host: str) -> None:
    reply = idle.get("/status", Host=host)
    assert (reply.status, reply.code) == (403, "wrong-host")


def test_a_request_without_a_name_is_refused(idle: Client) -> None:
    with socket.create_connection((idle.host, idle.port), 20) as plain:
        plain.sendall(b"GET /status HTTP/1.0\r\n\r\n")
        assert b"403" in plain.makefile("rb").readline()


def test_two_names_are_refused(idle: Client) -> None:
    with socket.create_connection((idle.host, idle.port), 20) as plain:
        plain.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert plain.makefile("rb").readline().split()[1] in (b"400", b"403")


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://localhost", "http://localhost:1", "null", "",
     "http://[", "file://"],
)  # fmt: skip
def test_pages_of_others_are_refused(idle: Client, origin: str) -> None:
    """Another port is another page, even on this machine."""
    reply = idle.post("/command", {"do": "mute"}, Origin=origin)
    assert (reply.status, reply.code) == (403, "wrong-origin")
    assert not [name for name in reply.headers if name.startswith("access-control")]
    assert _refused_handshake(idle, Origin=origin) == (403, "wrong-origin")


def test_the_own_page_is_served(client: Client, live: FakeLive) -> None:
    origin = f"http://127.0.0.1:{client.port}"
    assert client.post("/command", {"do": "mute"}, Origin=origin).status == 200
    with connect(client.websocket, additional_headers={"Origin": origin}) as websocket:
        assert '"kind":"status"' in str(websocket.recv(20))
    assert live.on["mute"]


def test_a_websocket_by_another_name_is_refused(idle: Client) -> None:
    host = f"evil.example:{idle.port}"
    with socket.create_connection((idle.host, idle.port), 20) as plain:
        plain.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b"403" in plain.makefile("rb").readline()


def test_preflights_get_no_leave(idle: Client) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}
    reply = idle.ask("OPTIONS", "/params/pitch.transpose", None, asked)
    assert reply.status == 403
    assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"],
)
def test_what_a_form_can_send_is_refused(idle: Client, kind: str) -> None:
    for method, path in (("POST", "/command"), ("PUT", "/params/pitch.transpose")):
        reply = idle.ask(method, path, '{"do": "stop"}', {"Content-Type": kind})
        assert (reply.status, reply.code) == (415, "no-json")


def test_json_in_utf_8_is_json(client: Client) -> None:
    kind = {"Content-Type": "application/JSON; charset=utf-8"}
    assert client.ask("POST", "/command", '{"do": "mute"}', kind).status == 200


def test_large_bodies_are_refused(idle: Client) -> None:
    text = '{"do": "mute", "on": "' + LARGEST_BODY * "x" + '"}'
    told = idle.post("/command", text)
    assert (told.status, told.code) == (413, "too-large")
    pieces = {"Transfer-Encoding": "chunked"}
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(text), text.encode())
    untold = idle.ask("POST", "/command", chunk, pieces)
    assert (untold.status, untold.code) == (413, "too-large")


def test_the_largest_body_is_taken(client: Client) -> None:
    text = '{"do": "mute"}'.ljust(LARGEST_BODY)
    assert client.post("/command", text, **{"Content-Type": "application/json"}).status == 200


@pytest.mark.parametrize(
    "given",
    [None, "", TOKEN, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x",
     f"Bearer {TOKEN[:-1]}", "Bearer é"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/status", "/params", "/openapi.json", "/ws", "/nowhere"])
def test_without_the_token_nothing_is_shown(locked: Client, path: str, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    reply = locked.get(path, **headers)
    assert (reply.status, reply.code) == (401, "wrong-token")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert TOKEN not in reply.text


def test_without_the_token_nothing_is_done(serve: Serve, live: FakeLive) -> None:
    client = serve(token=TOKEN)
    assert client.post("/command", {"do": "mute"}).status == 401
    assert client.post("/command?token=" + TOKEN, {"do": "mute"}).status == 401
    assert live.done == []
    assert client.post("/command", {"do": "mute"}, Authorization=BEARER).status == 200


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css"])
def test_the_page_asks_for_the_token_itself(locked: Client, path: str) -> None:
    assert locked.get(path).status == 200


def test_websockets_show_the_token_in_the_header_or_the_query(locked: Client) -> None:
    for query, headers in ((f"?token={TOKEN}", {}), ("", {"Authorization": BEARER})):
        with connect(locked.websocket + query, additional_headers=headers) as websocket:
            assert '"kind":"status"' in str(websocket.recv(20))
    assert _refused_handshake(locked, "?token=wrong") == (401, "wrong-token")
    assert _refused_handshake(locked, Authorization="Bearer wrong") == (401, "wrong-token")


def test_every_answer_forbids_what_a_page_could_do_with_it(idle: Client) -> None:
    for reply in (idle.get("/"), idle.get("/status"), idle.get("/status", Host="evil.example")):
        assert "default-src 'none'" in reply.headers["content-security-policy"]
        assert reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"


def test_other_machines_reach_it_by_this_machines_names(serve: Serve) -> None:
    """Bound to every address, which needs a token."""
    client = serve("0.0.0.0", token=TOKEN)
    own = (socket.gethostname(), f"127.0.0.1:{client.port}")
    codes = [client.get("/status", Authorization=BEARER, Host=host).status for host in own]
    assert codes == [200, 200]
    reply = client.get("/status", Authorization=BEARER, Host="evil.example")
    assert reply.code == "wrong-host"
