"""A page server without sessions, devices or models, for tests of the page in a browser.

Its answers are models of ``schemas/app.py`` and its requests are parsed by them, so it cannot drift
from the real one in form; files, access control and content policy are the real server's.
"""

from __future__ import annotations

import asyncio
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import numpy as np
import soundfile
from fastapi import FastAPI, Form, Response, UploadFile, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from starlette.requests import Request

from voicegraph.app.control.addresses import listen, parse_address
from voicegraph.app.http.access_control import AccessControl, Uploads
from voicegraph.app.http.background_server import BackgroundServer
from voicegraph.app.http.media_passes import MediaPasses
from voicegraph.app.page_server.routes import media_passes
from voicegraph.app.page_server.routes.all_routes import MEDIA, UPLOADS
from voicegraph.app.page_server.routes.page_files import CONTENT_POLICY, page_paths, page_router
from voicegraph.schemas.app import (
    AppLimits,
    CheckResult,
    CheckSession,
    Graph,
    JobSettings,
    LevelMessage,
    MeasureLatency,
    NodeProblem,
    Preset,
    SavePreset,
    SessionState,
    StartSession,
    TakeCheck,
)
from voicegraph.schemas.control import Answer, ControlLimits, SpectrumMessage, StatusMessage

from .fake_state import BEGUN, FakeState, job, measurement, problem, qualities

_TICK_S = 0.05


class FakeApp:
    """The fake behind one port; ``state`` is what it answers."""

    def __init__(self, graph: Graph, token: str | None = None, port: int = 0) -> None:
        self.state = FakeState()
        self.graph = graph
        address = parse_address(f"127.0.0.1:{port}", "--port", 8760)
        said: list[str] = []
        app = _build(self)
        checked = AccessControl(
            app,
            address,
            token,
            frozenset(page_paths()),
            said.append,
            ControlLimits(),
            CONTENT_POLICY,
            Uploads(UPLOADS, 1 << 24, 20),
            app.state.passes,
        )
        self._server = BackgroundServer(
            checked, listen(address, "tcp"), ControlLimits(), said.append
        )
        self.port = self._server.port
        self.url = f"http://127.0.0.1:{self.port}/"
        self._server.start()

    def close(self) -> None:
        self._server.close()


@contextmanager
def fake_app(graph: Graph, token: str | None = None, port: int = 0) -> Iterator[FakeApp]:
    """A fake that is served."""
    app = FakeApp(graph, token, port)
    try:
        yield app
    finally:
        app.close()


def _build(fake: FakeApp) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.middleware("http")
    async def refuse(request: Request, call: Any) -> Response:
        refused = fake.state.refuse.get(f"{request.method} {request.url.path}")
        if refused is None:
            return await call(request)
        status, report = refused
        return JSONResponse(Answer(ok=False, problems=[report]).model_dump(mode="json"), status)

    app.state.passes = MediaPasses(MEDIA)
    app.include_router(page_router())
    app.include_router(media_passes.routes)
    for add in (_session, _sockets, _voices, _presets, _takes, _jobs):
        add(app, fake)
    return app


def _session(app: FastAPI, fake: FakeApp) -> None:
    @app.get("/api/devices")
    async def devices() -> Any:
        return fake.state.devices

    @app.get("/api/qualities")
    async def list_qualities(voice: str) -> Any:
        return qualities()

    @app.get("/api/controls")
    async def list_controls() -> Any:
        return fake.state.controls

    @app.get("/api/session")
    async def session() -> SessionState:
        return fake.state.session

    @app.post("/api/session")
    async def start(request: StartSession) -> SessionState:
        fake.state.begin(request)
        return fake.state.session

    @app.delete("/api/session")
    async def stop() -> SessionState:
        fake.state.end()
        return fake.state.session

    @app.post("/api/session/restart")
    async def restart() -> SessionState:
        fake.state.begin(fake.state.started[-1])
        return fake.state.session

    @app.post("/api/session/command")
    async def command(request: Request) -> Answer:
        fake.state.run(await request.json())
        return Answer(ok=True)

    @app.get("/api/session/graph")
    async def graph() -> Graph:
        return fake.graph

    @app.post("/api/session/check")
    async def check(request: CheckSession) -> CheckResult:
        fake.state.checks.append(request.overrides)
        bad = [v for v in request.overrides.values() if v == "harvest"]
        found = problem("`method` must be one of: swift, dio.", "nodes.f0.params.method=swift")
        problems = [NodeProblem(node="f0", problem=found)] if bad else []
        return CheckResult(ok=not bad, problems=problems, delay_ms=None if bad else 215)

    @app.get("/api/experiments")
    async def experiments() -> Any:
        return fake.state.experiments

    @app.get("/experiments/{name}/page")
    async def experiment_page(name: str) -> Response:
        return Response(f"<!doctype html><title>Page of {name}</title>", media_type="text/html")

    @app.get("/api/latency")
    async def latency() -> Any:
        return fake.state.measured

    @app.post("/api/latency")
    async def measure(request: MeasureLatency) -> Any:
        fake.state.measured = measurement(request)
        return fake.state.measured


def _sockets(app: FastAPI, fake: FakeApp) -> None:
    @app.websocket("/api/levels")
    async def levels(socket: WebSocket) -> None:
        await socket.accept()
        with suppress(WebSocketDisconnect):
            for tick in range(100_000):
                rms = -30 + 8 * math.sin(tick / 3)
                await socket.send_text(LevelMessage(peak_db=rms + 9, rms_db=rms).model_dump_json())
                await asyncio.sleep(_TICK_S)

    @app.websocket("/api/session/ws")
    async def updates(socket: WebSocket, spectrum: bool = False) -> None:
        await socket.accept()
        reading = asyncio.create_task(_commands(socket, fake))
        try:
            await _send_updates(socket, fake, spectrum)
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect):
                await reading


async def _commands(socket: WebSocket, fake: FakeApp) -> None:
    while True:
        message = await socket.receive_json()
        if "token" not in message:
            fake.state.run(message)


async def _send_updates(socket: WebSocket, fake: FakeApp, spectrum: bool) -> None:
    told = None
    with suppress(WebSocketDisconnect, RuntimeError):
        for tick in range(100_000):
            state = fake.state
            if state.session != told:
                told = state.session
                await socket.send_text(told.model_dump_json())
            if told is not None and told.state == "running" and not state.silent:
                status = StatusMessage(status=state.status())
                await socket.send_text(status.model_dump_json())
                if spectrum:
                    await socket.send_text(spectrum_message(tick).model_dump_json())
            await asyncio.sleep(_TICK_S)


def spectrum_message(tick: int) -> SpectrumMessage:
    """Harmonics that rise and fall, louder at low frequencies."""
    pitch = 140 + 40 * math.sin(tick / 15)
    voiced = tick % 60 < 45
    bands = [
        max(
            0,
            round(
                (190 - 2 * band)
                * (0.6 + 0.4 * math.sin(band * 1.9 + tick / 9))
                * (0.3 + 0.7 * voiced)
            ),
        )
        for band in range(64)
    ]
    return SpectrumMessage(
        number=tick + 1,
        seconds=tick * _TICK_S,
        input=bands,
        output=[*bands[8:], *[0] * 8],
        pitch_hz=[pitch if voiced else None],
    )


def _voices(app: FastAPI, fake: FakeApp) -> None:
    @app.get("/api/voices")
    async def voices() -> Any:
        return fake.state.voices

    @app.post("/api/voices")
    async def add(files: list[UploadFile]) -> Any:
        names = [file.filename or "" for file in files]
        fake.state.uploads["voices"] = names
        made = fake.state.voices[2].model_copy(update={"name": "bob", "title": "Bob"})
        fake.state.voices.append(made)
        return made

    @app.delete("/api/voices/{name}", status_code=204)
    async def remove(name: str) -> None:
        fake.state.voices = [voice for voice in fake.state.voices if voice.name != name]


def _presets(app: FastAPI, fake: FakeApp) -> None:
    @app.get("/api/presets")
    async def presets() -> Any:
        return fake.state.presets

    @app.put("/api/presets/{name}")
    async def save(name: str, request: SavePreset) -> Any:
        made = Preset(name=name, extends="default-live", voice=fake.state.voice, changed=BEGUN)
        fake.state.presets = [*(p for p in fake.state.presets if p.name != name), made]
        return made

    @app.post("/api/presets/{name}/load")
    async def load(name: str) -> SessionState:
        fake.state.session = fake.state.session.model_copy(update={"preset": name})
        return fake.state.session

    @app.delete("/api/presets/{name}", status_code=204)
    async def remove(name: str) -> None:
        fake.state.presets = [p for p in fake.state.presets if p.name != name]


def sound(pitch: float, seconds: float = 1.5, rate: int = 24000) -> bytes:
    """A tone as a WAV file."""
    t = np.arange(round(seconds * rate)) / rate
    stream = io.BytesIO()
    soundfile.write(stream, 0.2 * np.sin(2 * np.pi * pitch * t), rate, format="WAV")
    return stream.getvalue()


def _takes(app: FastAPI, fake: FakeApp) -> None:
    @app.get("/api/takes")
    async def takes() -> Any:
        return fake.state.takes

    @app.get("/api/takes/{name}/{end}.wav")
    async def take_sound(name: str, end: str) -> Response:
        while fake.state.lost_sounds:
            await asyncio.sleep(_TICK_S)
        return Response(sound(220 if end == "input" else 330), media_type="audio/wav")

    @app.post("/api/takes/{name}/check")
    async def check(name: str) -> TakeCheck:
        lines = ["1.5 s replayed", "largest difference 0"]
        return TakeCheck(name=name, same=True, text="The replay is the same.", lines=lines)

    @app.delete("/api/takes/{name}", status_code=204)
    async def remove(name: str) -> None:
        fake.state.takes = [take for take in fake.state.takes if take.name != name]


def _jobs(app: FastAPI, fake: FakeApp) -> None:
    @app.get("/api/limits")
    async def limits() -> AppLimits:
        return fake.state.limits

    @app.get("/api/jobs")
    async def jobs() -> Any:
        return fake.state.jobs

    @app.post("/api/jobs")
    async def add(settings: Annotated[str, Form()], files: list[UploadFile]) -> Any:
        wanted = JobSettings.model_validate_json(settings)
        names = [file.filename or "" for file in files]
        fake.state.uploads["jobs"] = names
        made = job(len(fake.state.jobs), wanted.voice, names, wanted.format)
        fake.state.jobs.append(made)
        return made

    @app.delete("/api/jobs/{id}", status_code=204)
    async def remove(id: str) -> None:  # noqa: A002
        fake.state.jobs = [each for each in fake.state.jobs if each.id != id]

    @app.get("/api/jobs/{id}/results.zip")
    async def results(id: str) -> Response:  # noqa: A002
        saved = {"Content-Disposition": 'attachment; filename="heart.zip"'}
        return Response(b"PK", media_type="application/zip", headers=saved)

    @app.get("/api/jobs/{id}/files/{number}/{end}")
    async def job_sound(id: str, number: int, end: str) -> Response:  # noqa: A002
        return Response(sound(220 if end == "input" else 330), media_type="audio/wav")
