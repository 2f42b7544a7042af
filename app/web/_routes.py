"""The routes of the HTTP interface."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.schemas.control import Answer, ParamValue, StatusMessage
from voicegraph.schemas.live_command import LiveCommand, SetParam
from voicegraph.schemas.live_status import LiveParam, LiveStatus

from ..control.error_responses import error_response
from ..control.service import FASTEST_HZ, Service, Switch

PUBLIC = frozenset({"/", "/page.js", "/page.css"})
"""The web page and its files; they hold no data of the session."""
_PAGE = Path(__file__).with_name("page")

_ERROR_CODES = (401, 403, 404, 409, 413, 415, 422, 500)

_WEBSOCKET_MESSAGES = {
    "model": StatusMessage | Answer,
    "description": "Messages sent over the WebSocket",
}

page = APIRouter(include_in_schema=False)
routes = APIRouter(responses={code: {"model": Answer} for code in _ERROR_CODES})


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


@routes.get("/status", response_model=LiveStatus)
async def status(service: CurrentService) -> Response:
    """The status of the session."""
    return Response(service.status().model_dump_json(), media_type="application/json")


@routes.get("/params")
async def params(service: CurrentService) -> list[LiveParam]:
    """The params that can change while the session runs, in the order of the pipeline."""
    return service.status().params


@routes.get("/params/{name}")
async def param(name: str, service: CurrentService) -> LiveParam:
    """One param by its name, `node.param`."""
    return service.param(name)


@routes.put("/params/{name}")
async def set_param(name: str, new: ParamValue, service: CurrentService) -> LiveParam:
    """Sets a param from the next block on; returns the param after the change."""
    await _run(service, SetParam(param=name, value=new.value))
    return service.param(name)


@routes.post("/command")
async def command(command: LiveCommand, service: CurrentService) -> Answer:
    """Runs a command; answers when it is done, or, for a hot swap of nodes, when that has begun."""
    return await _run(service, command)


@routes.post("/toggle/{switch}")
async def toggle(switch: Switch, service: CurrentService) -> Answer:
    """Toggles a switch: for hotkeys. `command` in the answer says to which state."""
    return await _run(service, service.toggled(switch))


@routes.get("/ws", status_code=426, response_model=Answer, responses={200: _WEBSOCKET_MESSAGES})
async def live_updates(
    _rate: Annotated[float, Query(alias="rate", ge=1, le=FASTEST_HZ)] = 10,
    _token: Annotated[str | None, Query(alias="token")] = None,
) -> JSONResponse:
    """A WebSocket: sends a status `rate` times a second, and answers each command.

    If the session has a token, the client sends it in the header `Authorization`, in the query, or
    in the first message.
    """
    text = "this route is a WebSocket: connect with ws://"
    body = error_response(VoicegraphError(Problem("no-websocket", text)))
    return JSONResponse(body.model_dump(), 426, {"Upgrade": "websocket"})


async def _run(service: Service, command: LiveCommand) -> Answer:
    await asyncio.wrap_future(service.submit(command))
    return Answer(ok=True, command=command)
