"""The WebSocket of a page: statuses, spectra and the state of the session; commands come back."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Request, Response, WebSocket
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voicegraph.app.control.error_responses import INVALID, error_response, invalid
from voicegraph.app.http.access_control import problem_response
from voicegraph.app.http.websocket_access import (
    message_text,
    run_until_either_ends,
    send_model,
    send_text,
    websocket_required,
)
from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.schemas.control import Answer
from voicegraph.schemas.live_command import COMMANDS, LiveCommand

from ..services.live_sessions import LiveSessions
from ..services.page_clients import PageClient
from ._api import CurrentServices, WebSocketPlaces, api_router

routes = api_router()
_MOST_COMMANDS = 32
"""Commands of one page that wait for their answers."""


class _Wishes(BaseModel):
    """The query of a page."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rate: Annotated[float, Field(ge=1, le=30)] = 10
    spectrum: bool = False


@routes.get("/session/ws", include_in_schema=False)
async def session_needs_a_websocket(_: Request) -> Response:
    """A WebSocket's address that is asked over plain HTTP."""
    return websocket_required()


@routes.websocket("/session/ws")
async def follow_session(
    websocket: WebSocket, services: CurrentServices, places: WebSocketPlaces
) -> None:
    """Serves one page; it may come before a session is started, and stay after its end."""
    try:
        wishes = _Wishes.model_validate(dict(websocket.query_params))
    except ValidationError as error:
        found = invalid(error).problems[0]
        await websocket.send_denial_response(
            problem_response(INVALID, Problem("out-of-range", found.message))
        )
        return
    page = _Page(websocket, services.sessions, PageClient(wishes.rate, wishes.spectrum))
    await places["session"].admit(websocket, page.serve)


class _Page:
    """A page that has access."""

    def __init__(self, websocket: WebSocket, sessions: LiveSessions, client: PageClient) -> None:
        self._websocket, self._sessions, self._client = websocket, sessions, client
        self._commands: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Runs until either side closes the connection."""
        await send_model(self._websocket, await self._sessions.state())
        self._sessions.clients.add(self._client)
        try:
            sending = asyncio.create_task(self._send())
            receiving = asyncio.create_task(self._receive())
            await run_until_either_ends(self._websocket, sending, receiving, others=self._commands)
        finally:
            self._sessions.clients.remove(self._client)

    async def _send(self) -> None:
        while True:
            await send_text(self._websocket, await self._client.next())

    async def _receive(self) -> None:
        while True:
            text = message_text(await self._websocket.receive())
            try:
                command = COMMANDS.validate_json(text)
            except ValidationError as error:
                self._client.put(error_response(invalid(error)).model_dump_json())
                continue
            if len(self._commands) >= _MOST_COMMANDS:
                problem = Problem("busy", f"{_MOST_COMMANDS} commands wait for their answers")
                answer = error_response(VoicegraphError(problem), command)
                self._client.put(answer.model_dump_json())
                continue
            task = asyncio.create_task(self._run(command))
            self._commands.add(task)
            task.add_done_callback(self._commands.discard)

    async def _run(self, command: LiveCommand) -> None:
        self._client.put((await _answer(self._sessions, command)).model_dump_json())


async def _answer(sessions: LiveSessions, command: LiveCommand) -> Answer:
    try:
        return await sessions.run(command)
    except VoicegraphError as error:
        return error_response(error, command)
