"""The routes of the HTTP interface."""

from __future__ import annotations

import asyncio
import pathlib
from functools import cache, partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.requests import HTTPConnection

from voicegraph.schemas.control import Answer, ParamValue, Profiles, RunningPipeline
from voicegraph.schemas.live_command import LiveCommand, SetParam
from voicegraph.schemas.live_status import LiveParam, LiveStatus, LoggedMessage

from ..control.service import Service, Switch
from ..http.documented_errors import BODY, documented_errors
from ..http.json_bodies import JsonRoute
from ..http.websocket_access import websocket_required
from ._running_pipeline import RunningPipelineText

PUBLIC = frozenset({"/", "/page.js", "/page.css"})
"""The web page and its files; they hold no data of the session."""
_PAGE = pathlib.Path(__file__).with_name("page")

_errors = partial(
    documented_errors,
    {
        404: "There is no such param",
        409: "Does not fit the session now: a value out of range, a swap that does not compile",
        507: "The disk is full",
    },
)

ParamName = Annotated[str, Path(description="`node.param`", examples=["pitch.transpose"])]

page = APIRouter(include_in_schema=False)
routes = APIRouter(route_class=JsonRoute, generate_unique_id_function=lambda route: route.name)
"""The names of these functions are the operation ids, so the names in generated clients."""


async def _service(connection: HTTPConnection) -> Service:
    return connection.app.state.service


CurrentService = Annotated[Service, Depends(_service)]


@page.get("/")
async def start_page() -> Response:
    """The page that shows and controls the session."""
    return _file("index.html", "text/html")


@page.get("/page.js")
async def script() -> Response:
    """The page's script."""
    return _file("page.js", "text/javascript")


@page.get("/page.css")
async def style() -> Response:
    """The page's style sheet."""
    return _file("page.css", "text/css")


@cache
def _file(name: str, kind: str) -> Response:
    """Read once, and here: Starlette's FileResponse reads on threads that outlive the server."""
    return Response(_PAGE.joinpath(name).read_bytes(), media_type=kind)


@routes.get("/status", response_model=LiveStatus, responses=_errors())
async def get_status(service: CurrentService) -> Response:
    """The status of the session."""
    return Response(service.status().model_dump_json(), media_type="application/json")


@routes.get("/pipeline", response_model=RunningPipeline, responses=_errors())
async def get_pipeline(service: CurrentService, request: Request) -> Response:
    """The pipeline that runs now: its file, all that was changed, and its plan."""
    text: RunningPipelineText = request.app.state.pipeline
    return Response(text.of(service.live.plan), media_type="application/json")


@routes.get("/messages", responses=_errors())
async def list_messages(service: CurrentService) -> list[LoggedMessage]:
    """The newest messages of the session with their times, at most 200, oldest first."""
    return service.live.log()


@routes.get("/profiles", responses=_errors())
async def list_profiles(service: CurrentService) -> Profiles:
    """The profiles of the pipeline, and which are in force; the command `profile` switches."""
    now = service.status()
    return Profiles(profiles=now.profiles, active=now.active_profiles)


@routes.get("/params", responses=_errors())
async def list_params(service: CurrentService) -> list[LiveParam]:
    """The params that can change while the session runs, in the order of the pipeline."""
    return service.status().params


@routes.get("/params/{name}", responses=_errors(404, 422))
async def get_param(name: ParamName, service: CurrentService) -> LiveParam:
    """One param by its name, `node.param`."""
    return service.param(name)


@routes.put("/params/{name}", responses=_errors(404, 409, *BODY))
async def set_param(name: ParamName, new: ParamValue, service: CurrentService) -> LiveParam:
    """Sets a param from the next block on; returns the param after the change."""
    await _run(service, SetParam(param=name, value=new.value))
    return service.param(name)


@routes.post("/command", responses=_errors(404, 409, 507, *BODY))
async def run_command(command: LiveCommand, service: CurrentService) -> Answer:
    """Runs a command; answers when it is done: after a hot swap, when its nodes are heard."""
    return await _run(service, command)


@routes.post("/toggle/{switch}", responses=_errors(409, 507, *BODY))
async def toggle_switch(switch: Switch, service: CurrentService) -> Answer:
    """Toggles a switch: for hotkeys. `command` in the answer says to which state.

    No body is needed.
    """
    return await _run(service, service.toggled(switch))


@routes.get("/ws", include_in_schema=False)
async def updates_need_a_websocket(_: Request) -> Response:
    """A WebSocket's address that is asked over plain HTTP."""
    return websocket_required()


async def _run(service: Service, command: LiveCommand) -> Answer:
    await asyncio.wrap_future(service.submit(command))
    return Answer(ok=True, command=command)
