"""What every file of routes needs: a router, the services, and the errors that may come."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.requests import HTTPConnection

from voicegraph.app.http.access_control import problem_response
from voicegraph.app.http.json_bodies import JsonRoute
from voicegraph.app.http.websocket_access import WebSocketAccess
from voicegraph.graph.errors import Problem
from voicegraph.schemas.control import Answer

from ..services.services import Services

_ERRORS = {
    400: "The request is no HTTP",
    401: "The token is missing or wrong",
    403: "The host name or the origin is not allowed",
    404: "There is nothing of that name",
    408: "The request did not arrive in time",
    409: "Does not fit the state of things: no session, a name that is taken, a busy device",
    413: "The body is too large",
    415: "The body has another content type",
    422: "The request does not fit this description",
    426: "The route is a WebSocket",
    500: "A bug in voicegraph",
    503: "Too many clients do that at this time",
    507: "The disk is full",
}
_ALWAYS = (400, 401, 403, 408, 500)
BODY = (413, 415, 422)
"""What a route with a body may answer."""


def api_router(prefix: str = "/api") -> APIRouter:
    """A router below a prefix; the names of its functions become the operation ids."""
    return APIRouter(
        prefix=prefix,
        route_class=JsonRoute,
        generate_unique_id_function=lambda route: route.name,
    )


def errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides its result: ``codes``, and what any request may get."""
    chosen = sorted({*_ALWAYS, *codes})
    return {code: {"model": Answer, "description": _ERRORS[code]} for code in chosen}


async def _services(connection: HTTPConnection) -> Services:
    return connection.app.state.services


async def _places(connection: HTTPConnection) -> dict[str, WebSocketAccess]:
    return connection.app.state.places


CurrentServices = Annotated[Services, Depends(_services)]
"""Type of the parameter by which a route gets its services."""
WebSocketPlaces = Annotated[dict[str, WebSocketAccess], Depends(_places)]
"""Type of the parameter by which a WebSocket route gets the places for its clients, by topic."""


def websocket_only() -> Response:
    """The answer to a WebSocket's address that is asked over plain HTTP."""
    text = "this route is a WebSocket: connect with ws://"
    answer = problem_response(426, Problem("no-websocket", text))
    answer.headers["Upgrade"] = "websocket"
    return answer
