"""Sound devices, and the level of an input before a session runs."""

from __future__ import annotations

import asyncio

from fastapi import Request, Response, WebSocket

from voicegraph.app.control.error_responses import error_response
from voicegraph.app.http.websocket_access import (
    message_text,
    run_until_either_ends,
    send_model,
    websocket_required,
)
from voicegraph.graph.errors import DeviceError, Problem, VoicegraphError
from voicegraph.schemas.app import Devices

from ..services.services import Services
from ._api import CurrentServices, WebSocketPlaces, api_router, errors

routes = api_router()
_LONGEST_NAME = 300


@routes.get("/devices", responses=errors())
async def list_devices(services: CurrentServices) -> Devices:
    """The sound devices that there are now."""
    return await services.devices.devices()


@routes.get("/levels", include_in_schema=False)
async def levels_need_a_websocket(_: Request) -> Response:
    """A WebSocket's address that is asked over plain HTTP."""
    return websocket_required()


@routes.websocket("/levels")
async def levels(websocket: WebSocket, services: CurrentServices, places: WebSocketPlaces) -> None:
    """Sends the level of an input 20 times a second, while no session runs."""

    async def serve() -> None:
        sending = asyncio.create_task(_send_levels(websocket, services))
        reading = asyncio.create_task(_until_closed(websocket))
        await run_until_either_ends(websocket, sending, reading, others=set())

    await places["levels"].admit(websocket, serve)


async def _send_levels(websocket: WebSocket, services: Services) -> None:
    """Ends with an answer if the input cannot be watched, or a session takes it."""
    device = websocket.query_params.get("input") or None
    try:
        if device is not None and (len(device) > _LONGEST_NAME or not device.isprintable()):
            raise DeviceError(Problem("no-device", "there is no such device"))
        async for level in services.devices.levels(device):
            if (await services.sessions.state()).state in ("starting", "running"):
                text = "a session runs, and shows the level of its input itself"
                raise DeviceError(Problem("device-busy", text))
            await send_model(websocket, level)
    except VoicegraphError as error:
        await send_model(websocket, error_response(error))


async def _until_closed(websocket: WebSocket) -> None:
    """Reads and drops what the client sends, until it closes."""
    while True:
        message_text(await websocket.receive())
