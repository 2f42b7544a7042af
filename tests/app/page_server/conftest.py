"""Fixtures: a page server over empty folders, and its clients."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from voicegraph.app.control.addresses import parse_address
from voicegraph.app.page_server.planning.worker import planning_functions
from voicegraph.app.page_server.server import PageServer
from voicegraph.app.page_server.services.live_sessions import LiveSessions
from voicegraph.app.page_server.services.planner import Planner
from voicegraph.app.page_server.services.services import Services, open_services
from voicegraph.app.page_server.services.session_files import SessionFiles, SessionFolder
from voicegraph.schemas.app import AppLimits, StartSession
from voicegraph.schemas.control import ControlLimits
from voicegraph.schemas.session_note import SessionLaunch

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
    opened: list[PageServer] = []

    def make(
        host: str = "127.0.0.1",
        token: str | None = None,
        limits: ControlLimits | None = None,
        services: Services | None = None,
        **app_limits: Any,
    ) -> Client:
        services = services or services_here(AppLimits(**app_limits), messages.append)
        address = parse_address(f"{host}:0", "--port", 8760)
        server = PageServer(services, address, token, messages.append, limits)
        server.start()
        opened.append(server)
        return Client(host, server.port)

    yield make
    for server in opened:
        server.close()
    assert set(threading.enumerate()) <= before


class CallsHere:
    """Calls functions in this process, which has imported PyTorch already."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._functions = functions

    def start(self) -> None:
        pass

    def give_way(self) -> None:
        pass

    def close(self) -> None:
        pass

    async def call(self, name: str, *arguments: Any) -> Any:
        return await asyncio.to_thread(self._functions[name], *arguments)


def services_here(limits: AppLimits, say: Callable[[str], None]) -> Services:
    """Services over the user's folders that plan in this process."""
    services = open_services(limits, say)
    functions = planning_functions(services.data / "voices", services.data / "presets")
    return replace(services, planner=Planner(CallsHere(functions)))


def _fake_plan(request: StartSession) -> SessionLaunch:
    """Plans what ``fake_session.py`` runs; the pipeline that is asked for is its behaviour."""
    return SessionLaunch(
        request=request, pipeline="fake", path=request.pipeline or "run", voice=request.voice
    )


def fake_services(messages: list[str]) -> Services:
    """Services whose sessions are small processes without sound."""
    real = open_services(AppLimits(), messages.append)

    def command(launch: SessionLaunch, files: SessionFiles) -> list[str]:
        script = Path(__file__).with_name("fake_session.py")
        return [sys.executable, str(script), launch.path, str(files.info), str(files.end)]

    sessions = LiveSessions(SessionFolder(real.state / "app"), command, messages.append)
    return replace(real, sessions=sessions, planner=Planner(CallsHere({"plan": _fake_plan})))


@pytest.fixture
def fake_app(serve_app: ServeApp, messages: list[str]) -> Iterator[Client]:
    """Client of a page server with fake sessions; ends the one that is left."""
    client = serve_app(services=fake_services(messages))
    yield client
    client.ask("DELETE", "/api/session")


def wait_for_state(client: Client, *states: str) -> dict[str, Any]:
    """The session's state as soon as it is one of these."""
    deadline = time.monotonic() + 60
    while (found := client.get("/api/session").json)["state"] not in states:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


@pytest.fixture
def app_client(serve_app: ServeApp) -> Client:
    """Client of a page server without a token."""
    return serve_app()
