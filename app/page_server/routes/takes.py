"""Takes: ``/api/takes``."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import Path, Request, Response

from voicegraph.app.http.documented_errors import BODY
from voicegraph.schemas.app import Take, TakeCheck

from ._api import CurrentServices, api_router, errors
from ._media import media_responses, send_file

routes = api_router()

TakeName = Annotated[str, Path(max_length=100, description="`name` of a take")]


@routes.get("/takes", responses=errors())
async def list_takes(services: CurrentServices) -> list[Take]:
    """All takes, the newest first."""
    return await asyncio.to_thread(services.takes.list)


@routes.get("/takes/{name}", responses=errors(404, 422))
async def get_take(name: TakeName, services: CurrentServices) -> Take:
    """One take."""
    return await asyncio.to_thread(services.takes.take, name)


@routes.delete("/takes/{name}", responses=errors(404, 409, 422))
async def delete_take(name: TakeName, services: CurrentServices) -> Take:
    """Deletes a take with its files; the answer is what it was."""
    return await asyncio.to_thread(services.takes.delete, name)


@routes.post("/takes/{name}/check", responses=errors(404, 409, 503, *BODY))
async def check_take(name: TakeName, services: CurrentServices) -> TakeCheck:
    """Replays a take in a process of its own, and compares the outputs; takes its time."""
    return await services.takes.check(name)


@routes.get(
    "/takes/{name}/{side}.wav",
    responses={**errors(404, 422), **media_responses("audio/wav")},
    response_class=Response,
)
async def get_take_sound(
    name: TakeName, side: Literal["input", "output"], request: Request, services: CurrentServices
) -> Response:
    """The recorded input or output; a part of it with the header `Range`."""
    path = await asyncio.to_thread(services.takes.sound, name, side)
    return await send_file(request, path, "audio/wav", path.name)
