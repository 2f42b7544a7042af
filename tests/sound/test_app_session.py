"""The app with real sessions: a user's first start, on empty folders."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from voicegraph.app.page_server.services.services import open_services
from voicegraph.schemas.app import AppLimits

from ..app.client import Client
from ..app.page_server.conftest import (  # noqa: F401
    ServeApp,
    folders,
    messages,
    serve_app,
    wait_for_state,
)
from ..app.page_server.stored import store_preset

_INPUT, _OUTPUT = "ALSA: mon_a", "ALSA: loop_a"


_DEEP = "extends: default-live\nvars: {voice: heart, transpose: -5}\n"


@pytest.fixture
def client(daemon: Any, serve_app: ServeApp, messages: list[str]) -> Iterator[Client]:  # noqa: F811
    """Client of a page server whose user has no folder yet, with processes as in earnest."""
    found = serve_app(services=open_services(AppLimits(), messages.append))
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


def test_presets_and_voices_are_exchanged_while_a_session_runs(
    client: Client,
    folders: Path,  # noqa: F811
) -> None:
    # Without a profile: a preset of another one starts the session anew.
    asked = {"voice": "heart", "input": _INPUT, "output": _OUTPUT, "quality": "balanced"}
    assert client.post("/api/session", asked).status == 200
    assert wait_for_state(client, "running", "ended")["state"] == "running"
    store_preset(folders / "data", "Deep", _DEEP)
    _load(client, "Deep")
    assert _transpose(client) == -5
    saved = client.ask("PUT", "/api/presets/Mine", {"description": "as it is"})
    assert saved.status == 200, saved.text
    voice = client.post("/api/session/command", {"do": "voice", "name": "michael"})
    assert voice.json["ok"] or voice.code == "no-headroom", voice.text
    assert _transpose(client) == -5, "another voice keeps what was changed"
    _load(client, "Mine")
    assert _transpose(client) == -5
    deadline = time.monotonic() + 60
    while client.get("/api/session").json["voice"] != "heart":  # as its next status says
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _load(client: Client, preset: str) -> None:
    """Loads a preset, and waits until the session speaks so.

    By a hot swap, or by a new start where the machine has no headroom for one;
    ``tests/app/page_server/test_preset_loading.py`` tells them apart.
    """
    loaded = client.post(f"/api/presets/{preset}/load", None)
    assert (loaded.status, loaded.json["preset"]) == (200, preset), loaded.text
    state = wait_for_state(client, "running", "ended")
    assert state["state"] == "running", state["problems"]


def _transpose(client: Client) -> float:
    """Semitones by which the session moves the voice."""
    (pitch,) = [c for c in client.get("/api/controls").json if c["id"] == "pitch"]
    return pitch["default"]


def test_level_of_an_input_is_shown_before_a_session(client: Client) -> None:
    address = client.websocket.removesuffix("/ws") + "/api/levels?input="
    with connect(address + _INPUT.replace(" ", "%20"), proxy=None) as socket:
        for _ in range(3):
            level = json.loads(socket.recv(timeout=60))
            assert (level["kind"], level["peak_db"]) == ("level", -120)
    with connect(address + "no%20such%20input", proxy=None) as socket:
        answer = json.loads(socket.recv(timeout=60))
        assert answer["problems"][0]["code"] == "no-device"
