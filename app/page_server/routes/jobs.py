"""Conversion of files: ``/api/jobs``."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import Path, Request, Response

from voicegraph.app.http.documented_errors import BODY
from voicegraph.schemas.app import AppLimits, Job, JobSettings

from ._api import CurrentServices, api_router, errors
from ._archives import archive_responses, send_archive
from ._media import SOUND, media_responses, send_file
from ._uploads import form_body

routes = api_router()

JobId = Annotated[str, Path(max_length=100, description="`id` of a job")]
Number = Annotated[int, Path(ge=0, le=100_000, description="`number` of a file in its job")]
_KINDS = ("audio/wav", "audio/flac", "application/octet-stream")


@routes.get("/limits", responses=errors())
async def get_limits(services: CurrentServices) -> AppLimits:
    """What uploads and jobs may take."""
    return services.limits


@routes.get("/jobs", responses=errors())
async def list_jobs(services: CurrentServices) -> list[Job]:
    """All conversion jobs, the newest first."""
    return await asyncio.to_thread(services.jobs.list)


@routes.post(
    "/jobs",
    responses=errors(404, 409, 503, 507, *BODY),
    openapi_extra=form_body("files", many=True, settings=JobSettings),
)
async def create_job(request: Request, services: CurrentServices) -> Job:
    """Uploads sound files, and converts them in a process of their own.

    Names may have folders (`album/01.wav`). Files that are no sound are not kept.
    """
    kind = request.headers.get("content-type", "")
    return await services.jobs.create(request.stream(), kind)


@routes.get("/jobs/{job}", responses=errors(404, 422))
async def get_job(job: JobId, services: CurrentServices) -> Job:
    """One job."""
    return await asyncio.to_thread(services.jobs.job, job)


@routes.delete("/jobs/{job}", responses=errors(404, 422))
async def cancel_job(job: JobId, services: CurrentServices) -> Job:
    """Cancels a job that waits or runs; removes one that has ended, with its files.

    The answer is its last state.
    """
    return await asyncio.to_thread(services.jobs.cancel_or_remove, job)


@routes.get(
    "/jobs/{job}/results.zip",
    responses={**errors(404, 422), **archive_responses()},
    response_class=Response,
)
async def get_job_results(job: JobId, services: CurrentServices) -> Response:
    """All converted files in one archive, in the folders that they came with."""
    name, files = await asyncio.to_thread(services.jobs.results, job)
    return send_archive(name, files)


@routes.get(
    "/jobs/{job}/files/{number}/{side}",
    responses={**errors(404, 422), **media_responses(*_KINDS)},
    response_class=Response,
)
async def get_job_file(
    job: JobId,
    number: Number,
    side: Literal["input", "output"],
    request: Request,
    services: CurrentServices,
) -> Response:
    """The uploaded or the converted file; a part of it with the header `Range`."""
    path, name = await asyncio.to_thread(services.jobs.file, job, number, side)
    kind = SOUND.get(path.suffix, "application/octet-stream")
    return await send_file(request, path, kind, name.rpartition("/")[2])
