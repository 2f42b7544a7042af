"""What every file of routes needs: a router, the services, and the errors that may come."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.requests import HTTPConnection

from voicegraph.app.http.documented_errors import documented_errors
from voicegraph.app.http.json_bodies import JsonRoute
from voicegraph.app.http.websocket_access import WebSocketAccess

from ..services.services import Services

errors = partial(
    documented_errors,
    {
        404: "There is nothing of that name",
        409: "Does not fit the state of things: no session, a name that is taken, a busy device",
        503: "Too many clients do that at this time, or a process that does it has died",
        507: "The disk is full",
    },
)
"""What a route may answer besides its result."""


def api_router(prefix: str = "/api") -> APIRouter:
    """A router below a prefix; the names of its functions become the operation ids."""
    return APIRouter(
        prefix=prefix,
        route_class=JsonRoute,
        generate_unique_id_function=lambda route: route.name,
    )


async def _services(connection: HTTPConnection) -> Services:
    return connection.app.state.services


async def _places(connection: HTTPConnection) -> dict[str, WebSocketAccess]:
    return connection.app.state.places


CurrentServices = Annotated[Services, Depends(_services)]
"""Type of the parameter by which a route gets its services."""
WebSocketPlaces = Annotated[dict[str, WebSocketAccess], Depends(_places)]
"""Type of the parameter by which a WebSocket route gets the places for its clients, by topic."""
