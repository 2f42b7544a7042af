"""WebSocket clients: each receives statuses, and an answer to each of its commands."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocket

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.schemas.control import (
    SPECTRUM_EVERY_S,
    Answer,
    ControlLimits,
    StatusMessage,
)
from voicegraph.schemas.live_command import COMMANDS, LiveCommand

from ..control.error_responses import INVALID, error_response, invalid
from ..control.service import FASTEST_HZ, Service
from ..control.token_bucket import TokenBucket
from ..http.access_control import problem_response
from ..http.websocket_access import (
    WebSocketAccess,
    message_text,
    run_until_either_ends,
    send_model,
)

_RATE: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(ge=1, le=FASTEST_HZ)])
_DEFAULT_HZ = "10"
_SPECTRUM: TypeAdapter[bool] = TypeAdapter(bool)


class WebSocketClients:
    """All connected clients.

    Args:
        service: the session.
        token: clients must send it; None: no token.
        limits: how many clients there may be, and how long they may take to send the token.
        commands: the budget of all commands, those by HTTP, too.
    """

    def __init__(
        self, service: Service, token: str | None, limits: ControlLimits, commands: TokenBucket
    ) -> None:
        self._service = service
        self._commands = commands
        self._access = WebSocketAccess(token, limits.websocket_clients, limits.token_s)

    async def serve(self, websocket: WebSocket) -> None:
        """Serves one client from the handshake until the connection is closed."""
        asked = websocket.query_params
        name = "rate"
        try:
            rate = _RATE.validate_python(asked.get("rate", _DEFAULT_HZ))
            name = "spectrum"
            spectrum = _SPECTRUM.validate_python(asked.get("spectrum", "false"))
        except ValidationError as error:
            problem = Problem("out-of-range", f"{name}: {invalid(error).problems[0].message}")
            await websocket.send_denial_response(problem_response(INVALID, problem))
            return
        connection = _Connection(websocket, self._service, self._commands, rate, spectrum)
        await self._access.admit(websocket, connection.serve)


class _Connection:
    """A client that has access."""

    def __init__(
        self,
        websocket: WebSocket,
        service: Service,
        commands: TokenBucket,
        rate: float,
        spectrum: bool,
    ) -> None:
        self._websocket = websocket
        self._commands = commands
        self._spectrum = spectrum
        self._service = service
        self._period = 1 / rate
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Runs until either side closes the connection."""
        sending = asyncio.create_task(self._send_statuses())
        receiving = asyncio.create_task(self._receive_commands())
        if self._spectrum:
            self._tasks.add(asyncio.create_task(self._send_spectra()))
        await run_until_either_ends(self._websocket, sending, receiving, others=self._tasks)

    async def _send_statuses(self) -> None:
        """Sends statuses; the last one after the session has stopped."""
        ended = False
        while not ended:
            ended = self._service.live.stopped.is_set()
            await send_model(self._websocket, StatusMessage(status=self._service.status()))
            await asyncio.sleep(0 if ended else self._period)

    async def _send_spectra(self) -> None:
        """Sends spectra as they come; a client that reads slowly misses some."""
        spectra = self._service.live.spectra
        with spectra.watched():
            sent = spectra.newest
            while True:
                for message in spectra.after(sent):
                    await send_model(self._websocket, message)
                    sent = message.number
                await asyncio.sleep(SPECTRUM_EVERY_S)

    async def _receive_commands(self) -> None:
        while True:
            text = message_text(await self._websocket.receive())
            await self._commands.admit()
            try:
                command = COMMANDS.validate_json(text)
            except ValidationError as error:
                await send_model(self._websocket, error_response(invalid(error)))
                continue
            done = self._service.submit(command)
            if done.done():
                await self._answer(command, asyncio.wrap_future(done))
                continue
            task = asyncio.create_task(self._answer(command, asyncio.wrap_future(done)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, command: LiveCommand, done: asyncio.Future[None]) -> None:
        try:
            await done
        except VoicegraphError as error:
            await send_model(self._websocket, error_response(error, command))
        else:
            await send_model(self._websocket, Answer(ok=True, command=command))
