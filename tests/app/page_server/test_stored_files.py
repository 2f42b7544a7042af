"""Takes, jobs, presets, voices and experiments over HTTP: lists, files, parts, refusals."""

from __future__ import annotations

import http.client
import io
import json
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.app.background import CommandResult
from voicegraph.app.page_server.services.services import Services
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.schemas.app import Job, Preset, Take, Voice

from ..client import TOKEN, Client, Reply
from .conftest import ServeApp
from .stored import (
    EXPERIMENT,
    PRESET,
    PRESET_TEXT,
    TAKE,
    FakeCommands,
    report_of,
    store_job,
    store_preset,
    store_run,
    store_take,
    stored_services,
)


@dataclass
class Stored:
    """A page server over one of everything."""

    client: Client
    commands: FakeCommands
    services: Services
    data: Path
    job: str

    def upload(
        self, path: str, *parts: tuple[str, str | None, bytes], method: str = "POST"
    ) -> Reply:
        return self.client.ask(method, path, form(*parts), FORM)


FORM = {"Content-Type": "multipart/form-data; boundary=x1"}


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """A body of parts: name, file name, contents."""
    body = b""
    for name, file, contents in parts:
        named = "" if file is None else f'; filename="{file}"'
        head = f'--x1\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
        body += head.encode() + contents + b"\r\n"
    return body + b"--x1--\r\n"


def wave(seconds: float = 0.2) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(round(16000 * seconds)), 16000, format="WAV")
    return file.getvalue()


@pytest.fixture
def stored(folders: Path, serve_app: ServeApp) -> Stored:
    commands = FakeCommands()
    services = stored_services(folders, commands, upload_bytes=1 << 20, upload_files=4)
    data = services.data
    store_take(data)
    store_preset(data)
    store_run(folders / "results")
    job = store_job(services, data / "jobs" / ".upload-test")
    return Stored(serve_app(services=services), commands, services, data, job)


def _part(client: Client, path: str, header: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(client.host, client.port, timeout=20)
    try:
        connection.request("GET", path, headers={"Range": header})
        found = connection.getresponse()
        return found.status, {k.lower(): v for k, v in found.getheaders()}, found.read()
    finally:
        connection.close()


# ---- takes


def test_takes_are_listed_and_played(stored: Stored) -> None:
    (take,) = [Take.model_validate(entry) for entry in stored.client.get("/api/takes").json]
    assert (take.name, take.pipeline, take.problems) == (TAKE, "pipeline", [])
    assert take.seconds == pytest.approx(0.5)
    assert take.started is not None
    assert f"{take.started:%H:%M:%S}" == "12:00:01"
    status, headers, body = _part(stored.client, f"/api/takes/{TAKE}/input.wav", "bytes=0-")
    assert (status, headers["content-type"]) == (200, "audio/wav")
    assert soundfile.read(io.BytesIO(body))[0].shape == (24000,)


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        ("bytes=0-3", 206, slice(0, 4)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-5", 206, slice(-5, None)),
        ("bytes=4-999999999", 206, slice(4, None)),
        ("bytes=999999999-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-4", 200, slice(None)),
        ("bytes=0-1,3-4", 200, slice(None)),
        ("lines=0-1", 200, slice(None)),
        ("bytes=x-y", 200, slice(None)),
        ("bytes=-", 200, slice(None)),
        ("bytes=" + 40 * "9" + "-", 200, slice(None)),
    ],
)
def test_players_get_the_part_they_ask_for(
    stored: Stored, header: str, status: int, part: slice | None
) -> None:
    whole = (stored.data / "takes" / f"{TAKE}.out.wav").read_bytes()
    found, headers, body = _part(stored.client, f"/api/takes/{TAKE}/output.wav", header)
    assert found == status
    if part is None:
        assert headers["content-range"] == f"bytes */{len(whole)}"
        assert json.loads(body)["problems"][0]["code"] == "wrong-range"
        return
    assert body == whole[part]
    assert headers["accept-ranges"] == "bytes"
    if status == 206:
        start = part.indices(len(whole))[0]
        assert headers["content-range"] == f"bytes {start}-{start + len(body) - 1}/{len(whole)}"


def test_a_take_is_checked_in_a_process_of_its_own(stored: Stored) -> None:
    report = {
        "recording": "x", "pipeline": "half", "result": "identical", "blocks": 50, "seconds": 0.5,
        "recorded": 50, "compared": 50, "missing": [], "difference": None, "circumstances": [],
        "events": [], "output": None,
    }  # fmt: skip
    stored.commands.results.append(CommandResult(0, report))
    reply = stored.client.post(f"/api/takes/{TAKE}/check", "")
    assert (reply.status, reply.json["same"]) == (200, True)
    assert reply.json["text"] == "identical: 50 blocks, bit by bit"
    (asked,) = stored.commands.asked
    assert asked == ("replay", str(stored.data / "takes" / f"{TAKE}.jsonl"))


def test_a_take_that_cannot_be_replayed_says_why(stored: Stored) -> None:
    problem = report_of("missing-file", "voice.pth is missing")
    stored.commands.results.append(CommandResult(3, None, (problem,)))
    reply = stored.client.post(f"/api/takes/{TAKE}/check", "")
    assert (reply.status, reply.code) == (409, "missing-file")


def test_take_is_told_as_recording_until_its_files_are_finished(stored: Stored) -> None:
    name = "2026-11-29_12-00-02"
    pipeline = Pipeline(block="10ms", nodes={"out": node("dsp.gain", "input")}, output="out")
    with pipeline.session(record=stored.data / "takes" / f"{name}.jsonl", warm_up=False) as session:
        session.push(np.zeros(4800, np.float32))
        taken = stored.client.get(f"/api/takes/{name}").json
        assert (taken["recording"], taken["problems"]) == (True, [])
        assert stored.client.ask("DELETE", f"/api/takes/{name}").status == 409
        assert stored.client.post(f"/api/takes/{name}/check", "").status == 409
    assert stored.client.get(f"/api/takes/{name}").json["recording"] is False


def test_a_take_is_deleted_with_all_its_files(stored: Stored) -> None:
    assert stored.client.ask("DELETE", f"/api/takes/{TAKE}").status == 200
    assert list((stored.data / "takes").iterdir()) == []
    assert stored.client.get(f"/api/takes/{TAKE}").status == 404


# ---- jobs


def test_an_upload_becomes_a_job_that_is_cancelled_and_removed(stored: Stored) -> None:
    settings = json.dumps({"voice": "heart", "format": "flac", "quality": "live"}).encode()
    reply = stored.upload(
        "/api/jobs",
        ("files", "../album/a.wav", wave()),
        ("files", "cover.jpg", b"\xff\xd8\xff"),
        ("settings", None, settings),
    )
    assert reply.status == 200, reply.text
    job = Job.model_validate(reply.json)
    assert (job.voice, job.pipeline, job.skipped) == ("heart", "default-live", 1)
    assert [file.name for file in job.files] == ["album/a.wav"]
    listed = stored.client.get("/api/jobs").json
    assert [entry["id"] for entry in listed] == [job.id, stored.job]
    cancelled = stored.client.ask("DELETE", f"/api/jobs/{job.id}").json
    assert cancelled["state"] == "cancelled"
    stored.client.ask("DELETE", f"/api/jobs/{job.id}")
    assert stored.client.get(f"/api/jobs/{job.id}").status == 404


def test_files_of_a_job_are_played_and_saved_by_their_names(stored: Stored) -> None:
    path = f"/api/jobs/{stored.job}/files/0"
    status, headers, body = _part(stored.client, f"{path}/output", "bytes=0-")
    assert (status, headers["content-type"]) == (200, "audio/wav")
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''a.wav"
    assert soundfile.read(io.BytesIO(body))[0].shape == (8000,)
    assert _part(stored.client, f"{path}/input", "bytes=0-")[0] == 200
    assert stored.client.get(f"/api/jobs/{stored.job}/files/1/output").status == 404


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        (
            [("files", "a.txt", b"hello"), ("settings", None, b'{"voice": "heart"}')],
            409,
            "no-audio",
        ),
        ([("files", "a.wav", b"RIFF")], 422, "missing"),
        ([("files", "a.wav", b"RIFF"), ("settings", None, b"{}")], 422, "missing"),
        ([("settings", None, b'{"voice": "heart"}')], 409, "no-audio"),
        (
            [("files", "a.wav", b"RIFF"), ("settings", None, b'{"voice": "bob"}')],
            409,
            "unknown-voice",
        ),
        (
            [("files", "a.wav", b"RIFF"), ("settings", None, b'{"voice": "heart", "preset": "x"}')],
            404,
            "no-such-preset",
        ),
        (5 * [("files", "a.wav", b"RIFF")], 413, "too-many-files"),
        ([("files", "a.wav", bytes(1 << 20))], 413, "too-large"),
        ([("path", None, b"/etc/passwd")], 422, "wrong-part"),
    ],
    ids=range(9),
)
def test_uploads_that_are_refused_leave_nothing(
    stored: Stored, parts: list[tuple[str, str | None, bytes]], status: int, code: str
) -> None:
    reply = stored.upload("/api/jobs", *parts)
    assert (reply.status, reply.code) == (status, code), reply.text
    assert [path.name for path in (stored.data / "jobs").iterdir()] == [stored.job]


def test_a_torn_upload_leaves_nothing(stored: Stored) -> None:
    reply = stored.client.ask("POST", "/api/jobs", form(("files", "a.wav", wave()))[:-9], FORM)
    assert (reply.status, reply.code) == (422, "torn-upload")
    connection = http.client.HTTPConnection(stored.client.host, stored.client.port, timeout=20)
    connection.putrequest("POST", "/api/jobs")
    for name, value in {**FORM, "Content-Length": "100000"}.items():
        connection.putheader(name, value)
    connection.endheaders(form(("files", "a.wav", wave()))[:-9])
    connection.close()
    deadline = time.monotonic() + 60
    while (left := [path.name for path in (stored.data / "jobs").iterdir()]) != [stored.job]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


# ---- presets


def test_presets_are_listed_and_shared(stored: Stored) -> None:
    (preset,) = [Preset.model_validate(entry) for entry in stored.client.get("/api/presets").json]
    assert (preset.name, preset.extends, preset.voice) == (PRESET, "default-live", "heart")
    assert (preset.description, preset.changes) == ("deeper", {"vars.voice": "heart"})
    file = stored.client.get("/api/presets/Deep%20voice/file")
    assert file.text == PRESET_TEXT
    assert "Deep%20voice.yaml" in file.headers["content-disposition"]


def test_an_uploaded_preset_is_checked_confined_before_it_is_kept(stored: Stored) -> None:
    reply = stored.upload("/api/presets", ("file", "Mine.yaml", PRESET_TEXT.encode()))
    assert (reply.status, reply.json["name"]) == (200, "Mine"), reply.text
    (asked,) = stored.commands.asked
    assert asked[0] == "check"
    assert asked[-2:] == ("--confine", str(stored.data / "presets"))
    assert not list((stored.data / "presets").glob(".*"))
    again = stored.upload("/api/presets", ("file", "mine.yaml", PRESET_TEXT.encode()))
    assert (again.status, again.code) == (409, "exists")


@pytest.mark.parametrize(
    ("name", "text", "status", "code"),
    [
        ("a.yaml", "extends: ../../etc/passwd.yaml\n", 409, "no-preset"),
        ("a.yaml", "extends: ./other.yaml\n", 409, "no-preset"),
        ("a.yaml", "block: 10ms\n", 409, "no-preset"),
        ("a.yaml", "- 1\n", 409, "not-a-mapping"),
        ("a.yaml", "extends: default-live\nvars: 3\n", 409, "wrong-type"),
        ("a.yaml", "a: &a [1]\nb: {", 409, None),
        ("a.yaml", 40_000 * "[", 409, None),
        ("a.yaml", "\xff\xfe", 409, None),
        ("nul.yaml", PRESET_TEXT, 422, "bad-name"),
        ("..yaml", PRESET_TEXT, 422, "bad-name"),
        ("a.yaml", "extends: default-live\n#" + 300_000 * "x", 409, "too-large"),
    ],
    ids=range(11),
)
def test_a_file_that_is_no_preset_is_not_even_checked(
    stored: Stored, name: str, text: str, status: int, code: str | None
) -> None:
    reply = stored.upload("/api/presets", ("file", name, text.encode("latin-1")))
    assert reply.status == status, reply.text
    assert code is None or reply.code == code
    assert stored.commands.asked == []
    assert [path.name for path in (stored.data / "presets").iterdir()] == [f"{PRESET}.yaml"]


def test_mistakes_of_a_preset_are_told_and_a_missing_voice_is_none(stored: Stored) -> None:
    def said(code: str) -> CommandResult:
        return CommandResult(2, {"pipelines": [{"problems": [report_of(code).model_dump()]}]})

    stored.commands.results += [said("outside-confinement"), said("no-such-file")]
    reply = stored.upload("/api/presets", ("file", "a.yaml", PRESET_TEXT.encode()))
    assert (reply.status, reply.code) == (409, "outside-confinement")
    assert stored.upload("/api/presets", ("file", "a.yaml", PRESET_TEXT.encode())).status == 200


def test_a_preset_that_writes_files_is_refused(stored: Stored) -> None:
    use = {"path": "/tmp/x.wav", "by": ["spy.file"], "asked": False}
    report = {"pipelines": [{"problems": [], "writes": [use]}]}
    stored.commands.results.append(CommandResult(0, report))
    reply = stored.upload("/api/presets", ("file", "a.yaml", PRESET_TEXT.encode()))
    assert (reply.status, reply.code) == (409, "writes-files")


def test_a_preset_of_a_voice_that_is_gone_says_so(stored: Stored) -> None:
    store_preset(stored.data, "Bob", PRESET_TEXT.replace("heart", "bob"))
    (problem,) = stored.client.get("/api/presets/Bob").json["problems"]
    assert problem["code"] == "unknown-voice"


def test_a_preset_needs_a_session_to_be_saved(stored: Stored) -> None:
    reply = stored.client.ask("PUT", "/api/presets/New", {"description": "x"})
    assert (reply.status, reply.code) == (409, "no-session")


# ---- voices and experiments


def test_problems_name_a_file_as_its_owner_does(stored: Stored) -> None:
    reply = stored.upload("/api/voices", ("files", "a/Alice.pth", b"x"))
    assert reply.status == 409
    assert reply.json["problems"][0]["message"] == "Alice.pth is no voice"


def test_a_model_without_a_voice_is_told_to_be_none(stored: Stored) -> None:
    report = {"added": [{"name": "hubert"}], "adopted": {}}
    stored.commands.results.append(CommandResult(0, report))
    reply = stored.upload("/api/voices", ("files", "hubert_base.pt", b"x"))
    assert (reply.status, reply.code) == (409, "no-voice")
    assert reply.json["problems"][0]["message"].startswith("hubert is in the library now")


def test_bundled_voices_are_listed_and_stay(stored: Stored) -> None:
    voices = [Voice.model_validate(entry) for entry in stored.client.get("/api/voices").json]
    assert "heart" in {voice.name for voice in voices if voice.bundled}
    reply = stored.client.ask("DELETE", "/api/voices/heart")
    assert (reply.status, reply.code) == (409, "is-bundled")
    assert stored.client.get("/api/voices/heart/picture").status == 404
    assert stored.client.get("/api/voices/haert").json["problems"][0]["fix"] == "heart"
    assert stored.commands.asked == []


def test_files_of_a_voice_keep_their_names_without_folders(stored: Stored) -> None:
    added = {"added": [{"name": "hubert"}, {"name": "heart"}], "adopted": {}}
    stored.commands.results.append(CommandResult(0, added))
    reply = stored.upload(
        "/api/voices", ("files", "../../Alice.pth", b"x"), ("files", "a/aux.index", b"y")
    )
    assert (reply.status, reply.json["name"]) == (200, "heart")
    (asked,) = stored.commands.asked
    assert asked[:2] == ("voice", "add")
    assert [Path(path).name for path in asked[2:]] == ["Alice.pth", "_aux.index"]
    assert all(Path(path).is_relative_to(stored.data / "uploads") for path in asked[2:])
    assert list((stored.data / "uploads").iterdir()) == []


def test_experiments_are_listed_and_run_in_an_origin_of_their_own(
    stored: Stored, folders: Path
) -> None:
    store_run(folders / "results", "unfinished", finished=None)
    store_run(folders / "results", "no-page")
    (folders / "results" / "no-page" / "report.html").unlink()
    (entry,) = stored.client.get("/api/experiments").json
    assert (entry["name"], entry["title"]) == (EXPERIMENT, "Trackers")
    page = stored.client.get(f"/experiments/{EXPERIMENT}/page")
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "sandbox allow-scripts" in policy
    assert "allow-same-origin" not in policy
    assert "connect-src" not in policy


def test_data_needs_the_token(serve_app: ServeApp, folders: Path) -> None:
    services = stored_services(folders, FakeCommands())
    client = serve_app(services=services, token=TOKEN)
    paths: list[Any] = ["takes", "jobs", "presets", "voices", "experiments"]
    for path in paths:
        assert client.get(f"/api/{path}").status == 401
        assert client.get(f"/api/{path}", Authorization=f"Bearer {TOKEN}").status == 200
    assert client.ask("POST", "/api/jobs", form(), FORM).status == 401


# ---- files that a browser opens by itself


def test_all_results_of_a_job_are_one_archive(stored: Stored) -> None:
    status, headers, body = _part(stored.client, f"/api/jobs/{stored.job}/results.zip", "bytes=0-0")
    assert (status, headers["content-type"]) == (200, "application/zip")
    assert "heart-2" in headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.namelist() == ["songs/a.wav"]
        assert soundfile.read(io.BytesIO(archive.read("songs/a.wav")))[0].shape == (8000,)
    assert stored.client.get("/api/jobs/nothing/results.zip").status == 404


def test_page_of_an_experiment_opens_in_a_tab_by_a_cookie(
    folders: Path, serve_app: ServeApp
) -> None:
    store_run(folders / "results")
    services = stored_services(folders, FakeCommands())
    client = serve_app(services=services, token="correct-horse")
    path = f"/experiments/{EXPERIMENT}/page"

    def ask(method: str, where: str, body: str = "", **headers: str) -> tuple[int, str | None]:
        connection = http.client.HTTPConnection(client.host, client.port, timeout=20)
        kind = {"Content-Type": "application/json"} if body else {}
        connection.request(method, where, body or None, {**kind, **headers})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.getheader("Set-Cookie")

    wanted = json.dumps({"path": path})
    assert ask("GET", path)[0] == 401
    assert ask("POST", "/api/passes", wanted)[0] == 401
    token = {"Authorization": "Bearer correct-horse"}
    status, cookie = ask("POST", "/api/passes", wanted, **token)
    assert status == 204
    assert cookie is not None
    sent = {"Cookie": cookie.partition(";")[0]}
    assert ask("GET", path, **sent)[0] == 200
    assert ask("GET", "/api/experiments", **sent)[0] == 401
    assert ask("POST", "/api/passes", json.dumps({"path": "/api/session"}), **token)[0] == 404
