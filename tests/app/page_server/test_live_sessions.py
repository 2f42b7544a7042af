"""Sessions in processes of their own: started, ended, killed, and found again."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.sync.client import ClientConnection, connect

from voicegraph.schemas.session_note import SessionNote

from ..client import Client
from .conftest import ServeApp, fake_services, wait_for_state

WINDOWS = pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX's")


def _note(folders: Path) -> SessionNote:
    path = folders / "state" / "app" / "session.json"
    return SessionNote.model_validate_json(path.read_bytes())


def _start(client: Client, behaviour: str = "run") -> dict[str, Any]:
    reply = client.post("/api/session", {"pipeline": behaviour, "voice": "heart"})
    assert reply.status == 200, reply.text
    return reply.json


def _next(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message = json.loads(socket.recv(timeout=60))
        if message["kind"] == kind:
            return message


def test_no_session_is_a_state(fake_app: Client) -> None:
    assert fake_app.get("/api/session").json["state"] == "none"
    for method, path in (("GET", "/api/session/graph"), ("POST", "/api/session/restart")):
        reply = fake_app.ask(method, path)
        assert (reply.status, reply.code) == (409, "no-session")
    assert fake_app.ask("DELETE", "/api/session").json["state"] == "none"


def test_session_starts_takes_commands_and_stops(fake_app: Client) -> None:
    assert _start(fake_app)["state"] == "starting"
    assert wait_for_state(fake_app, "running")["voice"] == "heart"
    answer = fake_app.post("/api/session/command", {"do": "mute", "on": True})
    assert (answer.status, answer.json["ok"]) == (200, True)
    refused = fake_app.post("/api/session/command", {"do": "variant", "name": "b"})
    assert (refused.status, refused.json["problems"][0]["code"]) == (409, "no-variant")
    assert fake_app.ask("DELETE", "/api/session").json["state"] == "none"


def test_files_of_a_session_are_the_users_alone(fake_app: Client, folders: Path) -> None:
    _start(fake_app)
    wait_for_state(fake_app, "running")
    note = _note(folders)
    private = [folders / "state" / "app" / "session.json", Path(note.folder) / "http.json"]
    if os.name != "nt":
        assert {path.stat().st_mode & 0o077 for path in private} == {0}
        assert Path(note.folder).stat().st_mode & 0o077 == 0
    token = json.loads(private[1].read_text())["token"]
    assert note.pid is not None
    assert token not in " ".join(psutil.Process(note.pid).cmdline())


def test_session_that_cannot_start_says_why(fake_app: Client) -> None:
    _start(fake_app, "refuse")
    found = wait_for_state(fake_app, "ended")
    assert [problem["code"] for problem in found["problems"]] == ["device-busy"]
    assert found["can_restart"]


@WINDOWS
def test_killed_session_is_told_and_starts_again(fake_app: Client, folders: Path) -> None:
    _start(fake_app)
    wait_for_state(fake_app, "running")
    os.kill(_note(folders).pid or 0, signal.SIGKILL)
    found = wait_for_state(fake_app, "ended")
    assert [problem["code"] for problem in found["problems"]] == ["session-died"]
    assert "signal 9" in found["problems"][0]["message"]
    again = fake_app.post("/api/session/restart", None)
    assert (again.status, again.json["voice"]) == (200, "heart")
    wait_for_state(fake_app, "running")


def test_process_that_dies_unheard_leaves_its_log(fake_app: Client) -> None:
    _start(fake_app, "die")
    (problem,) = wait_for_state(fake_app, "ended")["problems"]
    assert problem["code"] == "session-died"
    assert "exit code 7" in problem["message"]
    assert problem["notes"] == ["starting: loading voice, 1.0 s"]


def test_session_with_a_wrong_command_line_says_what_is_wrong(fake_app: Client) -> None:
    _start(fake_app, "misled")
    (problem,) = wait_for_state(fake_app, "ended")["problems"]
    assert problem["message"] == "the session could not begin: there is no such option"
    assert problem["notes"] == []


def test_page_server_makes_way_for_a_session_that_is_late(
    serve_app: ServeApp, messages: list[str]
) -> None:
    services = fake_services(messages)
    client = serve_app(services=services)
    for behaviour, share in (("late", 1 / 8), ("run", 1.0)):
        _start(client, behaviour)
        wait_for_state(client, "running")
        assert services.sessions.shedding.share == share
    _start(client, "late")
    wait_for_state(client, "running")
    assert client.ask("DELETE", "/api/session").json["state"] == "none"
    assert services.sessions.shedding.share == 1


def test_next_page_server_finds_the_session(
    fake_app: Client, serve_app: ServeApp, messages: list[str], folders: Path
) -> None:
    _start(fake_app)
    first = wait_for_state(fake_app, "running")
    other = serve_app(services=fake_services(messages))
    assert wait_for_state(other, "running") == first
    assert other.ask("DELETE", "/api/session").json["state"] == "none"
    assert wait_for_state(fake_app, "none")["problems"] == []
    pid = _note(folders).pid
    assert not psutil.pid_exists(pid or 0) or psutil.Process(pid).status() == "zombie"


def test_note_of_a_newer_version_is_understood(
    fake_app: Client, serve_app: ServeApp, messages: list[str], folders: Path
) -> None:
    _start(fake_app)
    first = wait_for_state(fake_app, "running")
    _rewrite_note(folders, mood="new", launch=_note(folders).launch.model_dump() | {"more": 1})
    assert wait_for_state(serve_app(services=fake_services(messages)), "running") == first


def test_session_of_another_version_is_told_and_can_be_ended(
    fake_app: Client, serve_app: ServeApp, messages: list[str], folders: Path
) -> None:
    _start(fake_app)
    wait_for_state(fake_app, "running")
    pid = _note(folders).pid or 0
    _rewrite_note(folders, format="voicegraph-session-9")
    other = serve_app(services=fake_services(messages))
    found = wait_for_state(other, "ended")
    assert [problem["code"] for problem in found["problems"]] == ["other-version"]
    assert psutil.pid_exists(pid), "nobody has ended it"
    assert other.ask("DELETE", "/api/session").json["state"] == "none"
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"


def _rewrite_note(folders: Path, **values: Any) -> None:
    """Writes the note as another version would."""
    path = folders / "state" / "app" / "session.json"
    data = json.loads(path.read_bytes()) | values
    path.write_text(json.dumps(data, default=str), encoding="utf-8")


def test_restart_speaks_with_the_voice_that_was_chosen_last(
    fake_app: Client, folders: Path
) -> None:
    _start(fake_app)
    wait_for_state(fake_app, "running")
    fake_app.post("/api/session/command", {"do": "voice", "name": "michael"})
    deadline = time.monotonic() + 30
    while (launch := _note(folders).launch).voice != "michael":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert launch.request.voice == "michael"
    assert launch.overrides["vars.voice"] == "library:michael"
    assert fake_app.get("/api/session").json["voice"] == "michael"


def test_second_page_follows_the_first(fake_app: Client) -> None:
    address = fake_app.websocket.removesuffix("/ws") + "/api/session/ws"
    with connect(address + "?rate=20", proxy=None) as one, connect(address, proxy=None) as two:
        assert _next(two, "session")["state"] == "none"
        _start(fake_app)
        while _next(two, "session")["state"] != "running":
            pass
        one.send(json.dumps({"do": "set", "param": "pitch.transpose", "value": 5}))
        assert _next(one, "answer")["command"]["value"] == 5
        while _next(two, "status")["status"]["params"][0]["value"] != 5:
            pass
        fake_app.ask("DELETE", "/api/session")
        while _next(two, "session")["state"] != "none":
            pass


def test_page_gets_an_answer_to_every_command(fake_app: Client) -> None:
    address = fake_app.websocket.removesuffix("/ws") + "/api/session/ws"
    with connect(address, proxy=None) as page:
        page.send("{}")
        assert _next(page, "answer")["problems"][0]["code"] == "no-command"
        page.send(json.dumps({"do": "mute"}))
        assert _next(page, "answer")["problems"][0]["code"] == "no-session"
