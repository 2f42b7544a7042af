"""Requests that carry files: their own size, type and deadline; everything else stays JSON."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from voicegraph.app.control.addresses import listen, parse_address
from voicegraph.app.http.access_control import AccessControl, Uploads
from voicegraph.app.http.background_server import BackgroundServer
from voicegraph.schemas.control import ControlLimits

from ..client import TOKEN, Client

_FORM = {"Content-Type": "multipart/form-data; boundary=x"}
_SLOW = 0.4


async def _count(request: Request) -> Response:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return PlainTextResponse(str(size), headers={"Content-Security-Policy": "sandbox"})


@pytest.fixture
def client() -> Iterator[Client]:
    """Client of a server that takes files at one route, with short deadlines."""
    limits = ControlLimits(request_s=_SLOW, body_bytes=1024)
    app = Starlette(routes=[Route("/files", _count, methods=["POST"]),
                            Route("/other", _count, methods=["POST", "DELETE"])])  # fmt: skip
    uploads = Uploads(re.compile("POST /files"), largest=1 << 20, idle_s=2 * _SLOW)
    address = parse_address("127.0.0.1:0", "--port", 0)
    said: list[str] = []
    checked = AccessControl(app, address, None, frozenset(), said.append, limits, uploads=uploads)
    server = BackgroundServer(checked, listen(address, "tcp"), limits, said.append)
    server.start()
    yield Client("127.0.0.1", server.port)
    server.close()
    assert said == []


def test_files_may_be_larger_than_other_bodies(client: Client) -> None:
    body = b"x" * 100_000
    assert client.ask("POST", "/files", body, _FORM).text == "100000"
    assert client.ask("POST", "/other", body, {"Content-Type": "application/json"}).status == 413
    assert client.ask("POST", "/files", b"x" * (2 << 20), _FORM).status == 413


def test_forms_are_taken_where_files_belong_alone(client: Client) -> None:
    assert client.ask("POST", "/other", b"x", _FORM).code == "no-json"
    sent = client.ask("POST", "/files", b"{}", {"Content-Type": "application/json"})
    assert (sent.status, sent.code) == (415, "no-files")


@pytest.mark.parametrize("path", ["/files", "/other"])
def test_forms_of_other_sites_are_refused(client: Client, path: str) -> None:
    """An HTML form of any site can send files; its browser says from where."""
    elsewhere = {**_FORM, "Origin": "http://evil.example"}
    assert client.ask("POST", path, b"x", elsewhere).code == "wrong-origin"
    assert client.ask("DELETE", "/other", None, {"Sec-Fetch-Site": "same-site"}).status == 403


def _send_slowly(client: Client, path: str, kind: str, pauses: list[float]) -> bytes:
    """Sends a body byte by byte with pauses; what comes back."""
    with socket.create_connection((client.host, client.port), timeout=20) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
        connection.sendall(f"{head}Content-Length: {1 + len(pauses)}\r\n\r\nx".encode())
        for pause in pauses:
            threading.Event().wait(pause)
            connection.sendall(b"x")
        return connection.recv(4096)


def test_upload_may_take_long_as_long_as_bytes_come(client: Client) -> None:
    pauses = [_SLOW / 2] * 5
    assert b" 200 " in _send_slowly(client, "/files", _FORM["Content-Type"], pauses)


def test_upload_without_a_byte_is_given_up(client: Client) -> None:
    with socket.create_connection((client.host, client.port), timeout=20) as connection:
        head = (
            f"POST /files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {_FORM['Content-Type']}\r\n"
        )
        connection.sendall(f"{head}Content-Length: 9\r\n\r\nx".encode())
        threading.Event().wait(_SLOW / 4)
        connection.sendall(b"x")
        answer = connection.recv(4096)
    assert b" 408 " in answer
    assert b"nothing of the upload arrived for 0.8 s" in answer


def test_answer_keeps_a_content_policy_of_its_own(client: Client) -> None:
    reply = client.ask("POST", "/files", b"x", _FORM)
    assert reply.headers["content-security-policy"] == "sandbox"
    assert reply.headers["x-frame-options"] == "DENY"


def test_upload_without_the_token_has_the_ordinary_deadline() -> None:
    """Otherwise strangers could hold connections for as long as they like."""
    limits = ControlLimits()
    uploads = Uploads(re.compile("POST /files"), largest=1 << 20, idle_s=60)
    address = parse_address("127.0.0.1:0", "--port", 0)
    checked = AccessControl(
        Starlette(), address, TOKEN, frozenset(), lambda _: None, limits, uploads=uploads
    )
    scope = {
        "type": "http", "method": "POST", "path": "/files", "query_string": b"",
        "server": ("127.0.0.1", 80), "headers": [(b"host", b"127.0.0.1")],
    }  # fmt: skip
    sent: list[dict[str, object]] = []

    async def run() -> None:
        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: object) -> None:
            assert isinstance(message, dict)
            sent.append(message)

        await checked(scope, receive, send)

    asyncio.run(run())
    assert sent[0]["status"] == 401
    assert scope["voicegraph.access"].upload_idle_s is None
