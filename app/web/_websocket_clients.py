"""WebSocket clients: each receives statuses, and an answer to each of its commands."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.schemas.control import Answer, ControlLimits, StatusMessage, TokenMessage
from voicegraph.schemas.live_command import COMMANDS, LiveCommand

from ..control.error_responses import INVALID, error_response, invalid
from ..control.service import FASTEST_HZ, Service
from ._access_control import ACCESS, Access, problem_response, same_token

_RATE: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(ge=1, le=FASTEST_HZ)])
_DEFAULT_HZ = "10"
_NORMAL, _POLICY, _BROKEN, _TRY_LATER = 1000, 1008, 1011, 1013
"""Closing codes of RFC 6455 and of IANA's registry."""


class WebSocketClients:
    """All connected clients.

    Args:
        service: the session.
        token: clients must send it; None: no token.
        limits: how many clients there may be, and how long they may take to send the token.
    """

    def __init__(self, service: Service, token: str | None, limits: ControlLimits) -> None:
        self._service = service
        self._token = token
        self._limits = limits
        self._count = 0

    async def serve(self, websocket: WebSocket) -> None:
        """Serves one client from the handshake until the connection is closed."""
        try:
            rate = _RATE.validate_python(websocket.query_params.get("rate", _DEFAULT_HZ))
        except ValidationError as error:
            problem = Problem("out-of-range", f"rate: {invalid(error).problems[0].message}")
            await websocket.send_denial_response(problem_response(INVALID, problem))
            return
        access: Access = websocket.scope[ACCESS]
        if access.granted and self._full:
            await websocket.send_denial_response(problem_response(503, self._too_many))
            return
        with suppress(WebSocketDisconnect):
            await websocket.accept()
            if access.granted or await self._authenticate(websocket, access):
                await self._serve(websocket, rate)

    async def _serve(self, websocket: WebSocket, rate: float) -> None:
        """Serves a client that has access."""
        self._count += 1
        try:
            await _Connection(websocket, self._service, rate).serve()
        finally:
            self._count -= 1

    @property
    def _full(self) -> bool:
        return self._count >= self._limits.websocket_clients

    @property
    def _too_many(self) -> Problem:
        return Problem(
            "too-many", f"{self._limits.websocket_clients} clients are connected already"
        )

    async def _authenticate(self, websocket: WebSocket, access: Access) -> bool:
        """Checks the token in the first message; closes the connection if it is wrong."""
        try:
            async with asyncio.timeout(self._limits.token_s):
                sent = TokenMessage.model_validate_json(_text(await websocket.receive())).token
        except (TimeoutError, ValidationError):
            sent = ""
        access.granted = same_token(sent, self._token or "")
        if access.granted and not self._full:
            await _send(websocket, Answer(ok=True))
            return True
        text = "expected the session's token in the first message"
        wrong = Problem("wrong-token", text, fix='{"token": "..."}')
        problem, code = (self._too_many, _TRY_LATER) if access.granted else (wrong, _POLICY)
        await _send(websocket, error_response(VoicegraphError(problem)))
        await websocket.close(code, problem.code)
        return False


class _Connection:
    """A client that has access."""

    def __init__(self, websocket: WebSocket, service: Service, rate: float) -> None:
        self._websocket = websocket
        self._service = service
        self._period = 1 / rate
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Runs until either side closes the connection."""
        sending = asyncio.create_task(self._send_statuses())
        receiving = asyncio.create_task(self._receive_commands())
        try:
            await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = [sending, receiving, *self._tasks]
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect):
                await self._close(_BROKEN)
                raise end
        await self._close(_NORMAL)

    async def _send_statuses(self) -> None:
        """Sends statuses; the last one after the session has stopped."""
        ended = False
        while not ended:
            ended = self._service.live.stopped.is_set()
            await _send(self._websocket, StatusMessage(status=self._service.status()))
            await asyncio.sleep(0 if ended else self._period)

    async def _receive_commands(self) -> None:
        while True:
            text = _text(await self._websocket.receive())
            try:
                command = COMMANDS.validate_json(text)
            except ValidationError as error:
                await _send(self._websocket, error_response(invalid(error)))
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
            await _send(self._websocket, error_response(error, command))
        else:
            await _send(self._websocket, Answer(ok=True, command=command))

    async def _close(self, code: int) -> None:
        if self._websocket.application_state is WebSocketState.CONNECTED:
            await self._websocket.close(code)


async def _send(websocket: WebSocket, message: Answer | StatusMessage) -> None:
    """Sends a message.

    Raises:
        WebSocketDisconnect: if the client has disconnected.
    """
    try:
        await websocket.send_text(message.model_dump_json())
    except RuntimeError:  # the client has closed, and its close message is not read yet
        raise WebSocketDisconnect from None


def _text(message: Message) -> str | bytes:
    """The text or bytes of a received message.

    Raises:
        WebSocketDisconnect: if the client has disconnected.
    """
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
    return message.get("text") or message.get("bytes") or ""
