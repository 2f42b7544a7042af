"""Pages of finished experiments: ``/api/experiments``, ``/experiments/NAME/page``."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Path, Request, Response

from voicegraph.schemas.app import ExperimentPage

from ._api import CurrentServices, api_router, errors
from ._media import media_responses, send_file

routes = api_router()
pages = api_router("")

ExperimentName = Annotated[str, Path(max_length=100, description="`name` of an experiment")]
PAGE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "media-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-scripts allow-downloads"
)
"""Of a page that may come from anywhere: its scripts run, in an origin of its own, which reaches
neither this server nor another one. The page's own policy narrows it further."""


@routes.get("/experiments", responses=errors())
async def list_experiments(services: CurrentServices) -> list[ExperimentPage]:
    """Finished experiments with a page, the newest first."""
    return await asyncio.to_thread(services.experiments.list)


@pages.get(
    "/experiments/{name}/page",
    responses={**errors(404, 422), **media_responses("text/html")},
    response_class=Response,
)
async def get_experiment_page(
    name: ExperimentName, request: Request, services: CurrentServices
) -> Response:
    """The page of a finished experiment, one HTML file."""
    path = await asyncio.to_thread(services.experiments.page, name)
    answer = await send_file(request, path, "text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = PAGE_POLICY
    return answer
