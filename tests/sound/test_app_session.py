"""The app with real sessions: a user's first start, on empty folders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from ..app.client import Client
from ..app.page_server.conftest import (  # noqa: F401
    ServeApp,
    folders,
    messages,
    serve_app,
    wait_for_state,
)

_INPUT, _OUTPUT = "ALSA: mon_a", "ALSA: loop_a"


@pytest.fixture
def client(daemon: Any, serve_app: ServeApp) -> Iterator[Client]:  # noqa: F811
    """Client of a page server whose user has no folder yet."""
    found = serve_app()
    yield found
    found.ask("DELETE", "/api/session")


def test_first_session_of_a_new_user_runs_and_changes(client: Client, folders: Path) -> None:  # noqa: F811
    devices = client.get("/api/devices").json
    assert _INPUT in [device["id"] for device in devices["inputs"]]
    asked = {"voice": "heart", "input": _INPUT, "output": _OUTPUT, "quality": "safe"}
    started = client.post("/api/session", asked)
    assert (started.status, started.json["state"]) == (200, "starting"), started.text
    state = wait_for_state(client, "running", "ended")
    assert state["state"] == "running", state["problems"]
    assert {path.name for path in (folders / "data").iterdir()} >= {"voices", "presets"}
    graph = client.get("/api/session/graph").json
    assert {"input_gain", "voice", "output_gain"} <= {node["name"] for node in graph["nodes"]}
    on = {"do": "bypass", "node": "denoise", "on": False}
    refused = client.post("/api/session/command", on).json["problems"]
    assert {problem["code"] for problem in refused} <= {"no-headroom"}, "a machine may be too slow"
    outside = {"overrides": {"vars.voice": "/etc/passwd"}}
    (first, *_) = client.post("/api/session/check", outside).json["problems"]
    assert first["problem"]["code"] == "outside-confinement"
    assert client.ask("DELETE", "/api/session").json["state"] == "none"


def test_level_of_an_input_is_shown_before_a_session(client: Client) -> None:
    address = client.websocket.removesuffix("/ws") + "/api/levels?input="
    with connect(address + _INPUT.replace(" ", "%20"), proxy=None) as socket:
        for _ in range(3):
            level = json.loads(socket.recv(timeout=60))
            assert (level["kind"], level["peak_db"]) == ("level", -120)
    with connect(address + "no%20such%20input", proxy=None) as socket:
        answer = json.loads(socket.recv(timeout=60))
        assert answer["problems"][0]["code"] == "no-device"
