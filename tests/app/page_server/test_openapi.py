"""The OpenAPI document of the page server, and whether its answers are as it says."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial

import pytest
import schemathesis

from voicegraph.app.page_server.services.latency_measurements import LatencyMeasurements
from voicegraph.app.page_server.services.live_sessions import LiveSessions
from voicegraph.app.page_server.services.services import Services
from voicegraph.app.page_server.services.session_files import SessionFolder
from voicegraph.app.page_server.services.sound_devices import SoundDevices
from voicegraph.schemas.app import AppLimits

from ..client import Client
from ..schema_findings import findings, fuzz_config
from .conftest import ServeApp, services_here
from .stored import FakeCommands

_NO_SOUND = (sys.executable, "-c", "print('{\"devices\": []}')")
OF_SESSIONS = r"^/api/(session|devices|qualities|controls|latency)"
"""Routes that need no stored things; ``test_stored_openapi.py`` has all others."""
_NOTHING = [sys.executable, "-S", "-c", ""]


def _services(messages: list[str]) -> Services:
    """Services whose sessions end at once, and whose delay nobody can measure."""
    real = services_here(AppLimits(), messages.append)
    folder = SessionFolder(real.state / "app")
    sessions = LiveSessions(folder, lambda *_: _NOTHING, messages.append)
    return replace(
        real,
        sessions=sessions,
        devices=SoundDevices(list_command=_NO_SOUND),
        latency=LatencyMeasurements(sessions, real.planner, FakeCommands()),
    )


def _findings(client: Client, examples: int) -> tuple[list[str], int]:
    address = f"http://{client.host}:{client.port}"
    load = partial(schemathesis.openapi.from_url, config=fuzz_config(examples, {}))
    return findings(load(f"{address}/openapi.json").include(path_regex=OF_SESSIONS))


def test_answers_are_as_documented(serve_app: ServeApp, messages: list[str]) -> None:
    found, sent = _findings(serve_app(services=_services(messages)), 2)
    assert (found, sent > 25) == ([], True)
    assert messages == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_answers_are_as_documented(serve_app: ServeApp, messages: list[str]) -> None:
    found, sent = _findings(serve_app(services=_services(messages)), 150)
    assert (found, sent > 500) == ([], True)
    assert messages == []
