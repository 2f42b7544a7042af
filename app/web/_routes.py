"""The HTTP interface: what is asked, done and answered by which route."""

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

from ..control.error_responses import refusal
from ..control.service import FASTEST_HZ, Desk, Switch

PUBLIC = frozenset({"/", "/page.js", "/page.css"})
"""The page and what it needs; they hold nothing of the session."""
_PAGE = Path(__file__).with_name("page")

_REFUSALS = (401, 403, 404, 409, 413, 415, 422, 500)

_SENT = {"model": StatusMessage | Answer, "description": "What is sent once it is a WebSocket"}

page = APIRouter(include_in_schema=False)
routes = APIRouter(responses={code: {"model": Answer} for code in _REFUSALS})


async def _desk(connection: HTTPConnection) -> Desk:
    return connection.app.state.desk


AtDesk = Annotated[Desk, Depends(_desk)]


@page.get("/")
async def start_page() -> Response:
    """The page that shows and steers the session."""
    return _file("index.html", "text/html")


@page.get("/page.js")
async def script() -> Response:
    """What the page does."""
    return _file("page.js", "text/javascript")


@page.get("/page.css")
async def style() -> Response:
    """How it looks."""
    return _file("page.css", "text/css")


@cache
def _file(name: str, kind: str) -> Response:
    """Read here, and once: Starlette's own reads on threads that outlive the server."""
    return Response(_PAGE.joinpath(name).read_bytes(), media_type=kind)


@routes.get("/status", response_model=LiveStatus)
async def status(desk: AtDesk) -> Response:
    """Everything that is shown of the session."""
    return Response(desk.status().model_dump_json(), media_type="application/json")


@routes.get("/params")
async def params(desk: AtDesk) -> list[LiveParam]:
    """The params that may change while the session runs, in the order of the pipeline."""
    return desk.status().params


@routes.get("/params/{name}")
async def param(name: str, desk: AtDesk) -> LiveParam:
    """One param by its name, `node.param`."""
    return desk.param(name)


@routes.put("/params/{name}")
async def set_param(name: str, new: ParamValue, desk: AtDesk) -> LiveParam:
    """Changes a param from the next block on; what it is then."""
    await _do(desk, SetParam(param=name, value=new.value))
    return desk.param(name)


@routes.post("/command")
async def command(command: LiveCommand, desk: AtDesk) -> Answer:
    """Does what is asked; answers when it is done, or when an exchange of nodes has begun."""
    return await _do(desk, command)


@routes.post("/toggle/{switch}")
async def toggle(switch: Switch, desk: AtDesk) -> Answer:
    """Switches off what is on, and on what is off: for hotkeys. `command` says which it was."""
    return await _do(desk, desk.turned_over(switch))


@routes.get("/ws", status_code=426, response_model=Answer, responses={200: _SENT})
async def live_updates(
    _rate: Annotated[float, Query(alias="rate", ge=1, le=FASTEST_HZ)] = 10,
    _token: Annotated[str | None, Query(alias="token")] = None,
) -> JSONResponse:
    """A WebSocket: sends a status `rate` times a second, takes commands, answers each.

    Where the session has a token it stands in the header `Authorization`, in the query, or in the
    first message.
    """
    text = "this is a WebSocket: open it with ws://"
    body = refusal(VoicegraphError(Problem("no-websocket", text)))
    return JSONResponse(body.model_dump(), 426, {"Upgrade": "websocket"})


async def _do(desk: Desk, command: LiveCommand) -> Answer:
    await asyncio.wrap_future(desk.submit(command))
    return Answer(ok=True, command=command)
