"""The page server as a whole: its checks hold for every route."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from voicegraph.app.background import CommandRunner
from voicegraph.app.control.addresses import parse_address
from voicegraph.app.page_server.server import PageServer

from ..client import TOKEN, Client
from .conftest import ServeApp
from .stored import stored_services

_UPLOAD = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.pth"\r\n\r\nweights'
_FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def test_unknown_route_is_an_answer(app_client: Client) -> None:
    reply = app_client.get("/api/nothing")
    assert (reply.status, reply.code) == (404, "no-such-route")


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/app_server.py", "/page/index.html"]
)
def test_only_files_of_the_page_are_served(app_client: Client, path: str) -> None:
    assert app_client.get(path).status == 404


def test_requests_of_other_sites_are_refused(app_client: Client) -> None:
    reply = app_client.ask("DELETE", "/api/session", headers={"Origin": "http://evil.example"})
    assert (reply.status, reply.code) == (403, "wrong-origin")
    reply = app_client.ask("DELETE", "/api/session", headers={"Sec-Fetch-Site": "cross-site"})
    assert (reply.status, reply.code) == (403, "wrong-origin")
    reply = app_client.get("/api/session", Host="evil.example")
    assert (reply.status, reply.code) == (403, "wrong-host")


def test_page_needs_no_token_and_data_does(serve_app: ServeApp) -> None:
    client = serve_app(token=TOKEN)
    assert client.get("/api/session").status == 401
    assert client.get("/api/nothing", Authorization=f"Bearer {TOKEN}").status == 404


def test_policy_lets_nothing_in_from_elsewhere(app_client: Client) -> None:
    policy = app_client.get("/api/nothing").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy


def test_files_only_where_files_belong(app_client: Client) -> None:
    refused = app_client.ask("POST", "/api/session", "--x--\r\n", _FORM)
    assert (refused.status, refused.code) == (415, "no-json")
    sent = app_client.ask("POST", "/api/voices", "{}", {"Content-Type": "application/json"})
    assert (sent.status, sent.code) == (415, "no-files")


def test_end_of_the_server_waits_for_no_command(folders: Path, messages: list[str]) -> None:
    """A voice that is being checked, and one that is being received, are answered at once."""
    begun = folders / "begun"
    program = f"import pathlib, time; pathlib.Path({str(begun)!r}).touch(); time.sleep(60)"
    services = stored_services(folders, CommandRunner(program=("-c", program)))
    server = PageServer(services, parse_address("127.0.0.1:0", "--port", 0), None, messages.append)
    server.start()
    client = Client("127.0.0.1", server.port)
    torn = {**_FORM, "Content-Length": "1000"}
    with ThreadPoolExecutor() as pool:
        checked = pool.submit(client.ask, "POST", "/api/voices", _UPLOAD + b"\r\n--x--\r\n", _FORM)
        received = pool.submit(client.ask, "POST", "/api/voices", _UPLOAD, torn)
        deadline = time.monotonic() + 60
        while not begun.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        start = time.monotonic()
        server.close()
        assert time.monotonic() - start < 30
        for reply in (checked.result(), received.result()):
            assert (reply.status, reply.code) == (503, "closing")
    assert messages == []
