"""Names in the paths of all routes: none leads to another file, and none is a bug."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ..client import Client
from .conftest import ServeApp
from .stored import FakeCommands, store_job, store_preset, store_run, store_take, stored_services

_SECRET = "nobody may read this"
_NAMES = (
    "../secret",
    "../../secret.yaml",
    "..\\secret",
    "/secret",
    "secret",
    ".",
    "..",
    "%2e%2e%2fsecret",
    "..%2fsecret",
    "a/../../secret",
    "secret\0.yaml",
    "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "\\\\host\\share",
    "con",
    ".upload-test",
    "~root",
    "$HOME",
    "*",
    "\u202esecret",
    "\ud800",
    "x" * 5000,
    "",
    "-rf",
    "0",
    "-1",
    "1e9",
    "\u0661",
)


@pytest.fixture
def client(folders: Path, serve_app: ServeApp) -> Client:
    """Client of a server with one of everything, and files beside that nobody may read."""
    services = stored_services(folders, FakeCommands())
    store_take(services.data)
    store_preset(services.data)
    store_run(folders / "results")
    store_job(services, services.data / "jobs" / ".upload-test")
    for folder in (folders, services.data):
        for name in ("secret", "secret.yaml", "secret.jsonl", "secret.wav", "secret.html"):
            (folder / name).write_text(_SECRET, encoding="utf-8")
    return serve_app(services=services)


def _routes(client: Client) -> list[tuple[str, str]]:
    """Method and path of each route with a name in it."""
    paths: dict[str, Any] = client.get("/openapi.json").json["paths"]
    return [
        (method.upper(), path)
        for path, methods in paths.items()
        if "{" in path
        for method in methods
    ]


def test_no_name_in_a_path_leads_to_another_file(client: Client, folders: Path) -> None:
    before = {path: path.read_bytes() for path in folders.rglob("secret*")}
    routes = _routes(client)
    assert len(routes) > 15
    wrong: list[str] = []
    for method, path in routes:
        for name in _NAMES:
            for sent in (
                quote(name, safe="", errors="surrogatepass"),
                quote(name, errors="surrogatepass"),
            ):
                asked = re.sub(r"\{[^}]*\}", lambda _, sent=sent: sent, path)
                reply = client.ask(method, asked)
                if reply.status >= 500 or _SECRET in reply.text or (reply.status < 300 and name):
                    wrong.append(f"{method} {asked[:80]}: {reply.status} {reply.text[:200]}")
    assert wrong == []
    assert {path: path.read_bytes() for path in folders.rglob("secret*")} == before
