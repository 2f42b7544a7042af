"""Ports and threads are closed at the end and after an error at the start."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from voicegraph.app.control.options import ControlOptions
from voicegraph.app.control_servers import Control
from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.live.protocol import LiveSessionProtocol
from voicegraph.graph.live.session import LiveSession

from .client import Client
from .fake_live import FakeLive


def test_live_session_implements_the_protocol(live: FakeLive) -> None:
    """The type checker compares the signatures; here only the names are compared."""

    def fits(session: LiveSession) -> LiveSessionProtocol:
        return session

    assert fits
    for name in ("status", "command", "say", "request_stop"):
        assert callable(getattr(LiveSession, name))
        assert callable(getattr(live, name))


def _port(text: str) -> int:
    return int(text.rstrip("/").rpartition(":")[2])


def _bound(port: int, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as again:
        if kind == socket.SOCK_STREAM:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_default_control_opens_nothing(live: FakeLive) -> None:
    before = set(threading.enumerate())
    with Control(live) as control:
        assert control.addresses == []
        assert set(threading.enumerate()) == before


def test_close_frees_ports_and_ends_threads(live: FakeLive) -> None:
    before = set(threading.enumerate())
    with Control(live, ControlOptions(http="127.0.0.1:0", osc="127.0.0.1:0")) as control:
        http, osc = control.addresses
        assert http.startswith("http://127.0.0.1:")
        assert osc.startswith("OSC 127.0.0.1:")
        client = Client("127.0.0.1", _port(http))
        live.gate.set()
        swap = {"do": "swap", "overrides": {"block": "20ms"}}
        assert client.post("/command", swap).status == 200
        names = {thread.name for thread in set(threading.enumerate()) - before}
        assert {"voicegraph-http", "voicegraph-osc"} <= names
    assert control.addresses == []
    assert set(threading.enumerate()) <= before
    _bound(_port(http), socket.SOCK_STREAM)
    _bound(_port(osc), socket.SOCK_DGRAM)
    control.close()


def test_port_can_be_reopened_at_once(live: FakeLive) -> None:
    with Control(live, ControlOptions(http="127.0.0.1:0")) as control:
        (url,) = control.addresses
        assert Client("127.0.0.1", _port(url)).get("/status").status == 200
    with Control(live, ControlOptions(http=f"127.0.0.1:{_port(url)}")) as control:
        assert Client("127.0.0.1", _port(url)).get("/status").status == 200


def test_open_connections_do_not_delay_close(live: FakeLive) -> None:
    with Control(live, ControlOptions(http="127.0.0.1:0")) as control:
        port = _port(control.addresses[0])
        idle = socket.create_connection(("127.0.0.1", port), 20)
        half = socket.create_connection(("127.0.0.1", port), 20)
        half.sendall(b"GET /status HTTP/1.1\r\nHost:")
        assert Client("127.0.0.1", port).get("/status").status == 200
    with idle, half:
        assert idle.recv(1) == b""


@pytest.mark.parametrize("other", ["http", "osc"])
def test_port_in_use_leaves_no_port_open(live: FakeLive, other: str) -> None:
    before = set(threading.enumerate())
    kind = socket.SOCK_STREAM if other == "http" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if other == "http":
            taken.listen()
        options: dict[str, Any] = {"http": "127.0.0.1:0", "osc": "127.0.0.1:0"}
        options[other] = f"127.0.0.1:{taken.getsockname()[1]}"
        control = Control(live, ControlOptions(**options))
        with pytest.raises(VoicegraphError, match="in use") as caught:
            control.start()
    assert caught.value.problems[0].fix is not None
    assert control.addresses == []
    assert set(threading.enumerate()) <= before


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")
def test_ipv6_loopback_is_served(live: FakeLive) -> None:
    with Control(live, ControlOptions(http="[::1]:0", osc="[::1]:0")) as control:
        assert control.http_url is not None
        assert control.http_url.startswith("http://[::1]:")
        client = Client("::1", _port(control.http_url))
        origin = control.http_url.rstrip("/")
        assert client.get("/status").status == 200
        assert client.post("/command", {"do": "mute"}, Origin=origin).status == 200
