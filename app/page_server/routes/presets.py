"""Presets: ``/api/presets``."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Path, Request, Response

from voicegraph.app.http.documented_errors import BODY
from voicegraph.schemas.app import Preset, SavePreset, SessionState

from ..services.preset_loading import load_preset as load_into_session
from ._api import CurrentServices, api_router, errors
from ._media import media_responses, send_file
from ._uploads import form_body

routes = api_router()

PresetName = Annotated[str, Path(max_length=100, description="`name` of a preset")]
_YAML = "application/yaml"


@routes.get("/presets", responses=errors())
async def list_presets(services: CurrentServices) -> list[Preset]:
    """All presets, by name."""
    return await asyncio.to_thread(services.presets.list)


@routes.post("/presets", responses=errors(409, 503, 507, *BODY), openapi_extra=form_body("file"))
async def add_preset(request: Request, services: CurrentServices) -> Preset:
    """Uploads a preset under its file's name. The loader and the compiler check it first.

    It extends a bundled pipeline, and names voices and models by their names in the library.
    """
    kind = request.headers.get("content-type", "")
    return await services.presets.receive(request.stream(), kind)


@routes.get("/presets/{name}", responses=errors(404, 422))
async def get_preset(name: PresetName, services: CurrentServices) -> Preset:
    """One preset."""
    return await asyncio.to_thread(services.presets.preset, name)


@routes.put("/presets/{name}", responses=errors(404, 409, *BODY))
async def save_preset(name: PresetName, asked: SavePreset, services: CurrentServices) -> Preset:
    """Saves what the session runs, with all its settings."""
    running = await services.sessions.pipeline()
    live = await services.sessions.live_values()
    return await asyncio.to_thread(services.presets.save, name, asked, running, live)


@routes.delete("/presets/{name}", responses=errors(404, 422))
async def delete_preset(name: PresetName, services: CurrentServices) -> Preset:
    """Deletes a preset; the answer is what it was."""
    return await asyncio.to_thread(services.presets.delete, name)


@routes.get(
    "/presets/{name}/file",
    responses={**errors(404, 422), **media_responses(_YAML, schema={"type": "object"})},
    response_class=Response,
)
async def get_preset_file(
    name: PresetName, request: Request, services: CurrentServices
) -> Response:
    """The preset as a pipeline file, to share it."""
    path = await asyncio.to_thread(services.presets.path, name)
    return await send_file(request, path, _YAML, path.name)


@routes.post("/presets/{name}/load", responses=errors(404, 409, 503, 507, *BODY))
async def load_preset(name: PresetName, services: CurrentServices) -> SessionState:
    """Loads a preset into the session, without a gap where that can be; starts one if none runs.

    No body is needed.
    """
    return await load_into_session(name, services.presets, services.planner, services.sessions)
