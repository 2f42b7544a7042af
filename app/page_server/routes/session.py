"""The live session: start, stop, commands, graph."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from voicegraph.app.control.error_responses import CONFLICT
from voicegraph.app.http.documented_errors import BODY
from voicegraph.schemas.app import (
    DEFAULT_QUALITY,
    CheckResult,
    CheckSession,
    Control,
    Graph,
    Name,
    Quality,
    QualityId,
    SessionState,
    StartSession,
)
from voicegraph.schemas.control import Answer
from voicegraph.schemas.live_command import LiveCommand

from ._api import CurrentServices, api_router, errors

routes = api_router()

VoiceQuery = Annotated[Name | None, Query(description="Name in the library; the bundled voice")]


@routes.get("/qualities", responses=errors(404, 409, 422, 503))
async def list_qualities(services: CurrentServices, voice: VoiceQuery = None) -> list[Quality]:
    """Delay against reserve, for one voice."""
    return await services.planner.qualities(voice)


@routes.get("/controls", responses=errors(404, 409, 422, 503))
async def list_controls(
    services: CurrentServices, voice: VoiceQuery = None, quality: QualityId = DEFAULT_QUALITY
) -> list[Control]:
    """The main controls: of a voice, or of the running session if no voice is named."""
    state = await services.sessions.state()
    if voice is None and state.state == "running":
        running = await services.sessions.pipeline()
        return await services.planner.running_controls(running)
    return await services.planner.controls(voice, quality)


@routes.get("/session", responses=errors())
async def get_session(services: CurrentServices) -> SessionState:
    """Whether a session runs, and which."""
    return await services.sessions.state()


@routes.post("/session", responses=errors(404, 409, 503, 507, *BODY))
async def start_session(request: StartSession, services: CurrentServices) -> SessionState:
    """Starts a session in place of one that runs; answers while it starts."""
    launch = await services.planner.plan(request)
    services.planner.give_way()
    return await services.sessions.start(launch)


@routes.delete("/session", responses=errors())
async def stop_session(services: CurrentServices) -> SessionState:
    """Stops the session, and waits until it has ended."""
    return await services.sessions.stop()


@routes.post("/session/restart", responses=errors(404, 409, 507, *BODY))
async def restart_session(services: CurrentServices) -> SessionState:
    """Starts the session again as it was started last. No body is needed."""
    return await services.sessions.restart()


@routes.post("/session/command", responses=errors(404, 409, *BODY))
async def run_session_command(
    command: LiveCommand, services: CurrentServices, response: Response
) -> Answer:
    """Runs a command; answers when it is done: after a hot swap, when its nodes are heard."""
    answer = await services.sessions.run(command)
    if not answer.ok:
        response.status_code = CONFLICT
    return answer


@routes.get("/session/graph", responses=errors(409, 503))
async def get_session_graph(services: CurrentServices) -> Graph:
    """The running pipeline as a drawing, with all its nodes."""
    running = await services.sessions.pipeline()
    return await services.planner.describe(running)


@routes.post("/session/check", responses=errors(409, 503, *BODY))
async def check_session(change: CheckSession, services: CurrentServices) -> CheckResult:
    """What is wrong with a change of the running pipeline; nothing is changed."""
    running = await services.sessions.pipeline()
    return await services.planner.check(running, change.overrides)
