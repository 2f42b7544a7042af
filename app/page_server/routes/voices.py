"""The library of voices: ``/api/voices``."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Path, Request, Response

from voicegraph.app.http.documented_errors import BODY
from voicegraph.schemas.app import Voice

from ._api import CurrentServices, api_router, errors
from ._media import media_responses, send_file
from ._uploads import form_body

routes = api_router()

VoiceName = Annotated[str, Path(max_length=100, description="`name` of a voice")]
_PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")


@routes.get("/voices", responses=errors())
async def list_voices(services: CurrentServices) -> list[Voice]:
    """All voices of the library, bundled ones first."""
    return await asyncio.to_thread(services.voices.list)


@routes.post(
    "/voices",
    responses=errors(409, 503, 507, *BODY),
    openapi_extra=form_body("files", many=True),
)
async def add_voice(request: Request, services: CurrentServices) -> Voice:
    """Adds a voice: its model, with its index or a picture if it has them, or an archive.

    It is checked before it is kept; the problems say what is wrong or missing.
    """
    kind = request.headers.get("content-type", "")
    return await services.voices.add(request.stream(), kind)


@routes.get("/voices/{name}", responses=errors(404, 409, 422))
async def get_voice(name: VoiceName, services: CurrentServices) -> Voice:
    """One voice."""
    return await asyncio.to_thread(services.voices.voice, name)


@routes.delete("/voices/{name}", responses=errors(404, 409, 422, 503))
async def remove_voice(name: VoiceName, services: CurrentServices) -> Voice:
    """Removes a voice from the library; the answer is what it was."""
    return await services.voices.remove(name)


@routes.get(
    "/voices/{name}/picture",
    responses={**errors(404, 409, 422), **media_responses(*_PICTURES)},
    response_class=Response,
)
async def get_voice_picture(
    name: VoiceName, request: Request, services: CurrentServices
) -> Response:
    """The picture of a voice."""
    path, kind = await asyncio.to_thread(services.voices.picture, name)
    return await send_file(request, path, kind if kind in _PICTURES else _PICTURES[0])


@routes.put(
    "/voices/{name}/picture",
    responses=errors(404, 409, 503, 507, *BODY),
    openapi_extra=form_body("picture"),
)
async def set_voice_picture(name: VoiceName, request: Request, services: CurrentServices) -> Voice:
    """Gives a voice another picture: PNG, JPEG, WebP or GIF."""
    kind = request.headers.get("content-type", "")
    return await services.voices.set_picture(name, request.stream(), kind)
