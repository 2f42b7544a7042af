"""Fixtures: a page server over empty folders, and its clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from voicegraph.app.control.addresses import parse_address
from voicegraph.app.server.app_server import AppServer
from voicegraph.app.server.services.services import Services, open_services
from voicegraph.schemas.app import AppLimits
from voicegraph.schemas.control import ControlLimits

from ..client import Client

ServeApp = Callable[..., Client]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folders, ``data`` and ``state`` in a folder of the test."""
    monkeypatch.setenv("VOICEGRAPH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("VOICEGRAPH_STATE", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def messages() -> list[str]:
    """What page servers have said."""
    return []


@pytest.fixture
def serve_app(folders: Path, messages: list[str]) -> Iterator[ServeApp]:
    """Starts page servers; checks at the end that no thread of theirs is left."""
    before = set(threading.enumerate())
    opened: list[tuple[AppServer, Services]] = []

    def make(
        host: str = "127.0.0.1",
        token: str | None = None,
        limits: ControlLimits | None = None,
        **app_limits: Any,
    ) -> Client:
        services = open_services(AppLimits(**app_limits), messages.append)
        address = parse_address(f"{host}:0", "--port", 8760)
        server = AppServer(services, address, token, messages.append, limits)
        server.start()
        opened.append((server, services))
        return Client(host, server.port)

    yield make
    for server, services in opened:
        server.close()
        asyncio.run(services.close())
    assert set(threading.enumerate()) <= before


@pytest.fixture
def app_client(serve_app: ServeApp) -> Client:
    """Client of a page server without a token."""
    return serve_app()
