"""WebSocket clients: each is sent the status again and again, and its commands are answered."""

from __future__ import annotations

import asyncio
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.schemas.control import Answer, Greeting, StatusMessage
from voicegraph.schemas.live_command import COMMANDS, LiveCommand

from ..control.error_responses import INVALID, invalid, refusal
from ..control.service import FASTEST_HZ, Desk
from ._access_control import TRUSTED, respond, same_token

MOST_CLIENTS = 16
GREETING_S = 5.0
"""Who shows no token for so long is sent away."""

_RATE: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(ge=1, le=FASTEST_HZ)])
_USUAL_HZ = "10"
_NORMAL, _POLICY, _BROKEN = 1000, 1008, 1011
"""Closing codes of RFC 6455."""


class Clients:
    """Everybody who is connected.

    Args:
        desk: what they look at and steer.
        token: what they must show; None: nothing.
    """

    def __init__(self, desk: Desk, token: str | None) -> None:
        self._desk = desk
        self._token = token
        self._count = 0

    async def serve(self, websocket: WebSocket) -> None:
        """One client, from the handshake to the end."""
        try:
            rate = _RATE.validate_python(websocket.query_params.get("rate", _USUAL_HZ))
        except ValidationError as error:
            problem = Problem("out-of-range", f"rate: {invalid(error).problems[0].message}")
            await websocket.send_denial_response(respond(INVALID, problem))
            return
        if self._count >= MOST_CLIENTS:
            problem = Problem("too-many", f"{MOST_CLIENTS} clients are connected already")
            await websocket.send_denial_response(respond(503, problem))
            return
        self._count += 1
        try:
            await websocket.accept()
            if websocket.scope[TRUSTED] or await self._greeted(websocket):
                await _Client(websocket, self._desk, rate).serve()
        except WebSocketDisconnect:
            pass
        finally:
            self._count -= 1

    async def _greeted(self, websocket: WebSocket) -> bool:
        """Whether the first message shows the token."""
        try:
            async with asyncio.timeout(GREETING_S):
                shown = Greeting.model_validate_json(_text(await websocket.receive())).token
        except (TimeoutError, ValidationError):
            shown = ""
        if same_token(shown, self._token or ""):
            await _send(websocket, Answer(ok=True))
            return True
        text = "expected the session's token in the first message"
        problem = Problem("wrong-token", text, fix='{"token": "..."}')
        await _send(websocket, refusal(VoicegraphError(problem)))
        await websocket.close(_POLICY, "wrong token")
        return False


class _Client:
    """One who may see and steer."""

    def __init__(self, websocket: WebSocket, desk: Desk, rate: float) -> None:
        self._websocket = websocket
        self._desk = desk
        self._period = 1 / rate
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Until either side ends it."""
        shown = asyncio.create_task(self._show())
        heard = asyncio.create_task(self._hear())
        try:
            await asyncio.wait((shown, heard), return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = [shown, heard, *self._tasks]
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect):
                await self._close(_BROKEN)
                raise end
        await self._close(_NORMAL)

    async def _show(self) -> None:
        """Sends the status, the last one when the session has ended."""
        ended = False
        while not ended:
            ended = self._desk.live.stopped.is_set()
            await _send(self._websocket, StatusMessage(status=self._desk.status()))
            await asyncio.sleep(0 if ended else self._period)

    async def _hear(self) -> None:
        while True:
            text = _text(await self._websocket.receive())
            try:
                command = COMMANDS.validate_json(text)
            except ValidationError as error:
                await _send(self._websocket, refusal(invalid(error)))
                continue
            done = self._desk.submit(command)
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
            await _send(self._websocket, refusal(error, command))
        else:
            await _send(self._websocket, Answer(ok=True, command=command))

    async def _close(self, code: int) -> None:
        if self._websocket.application_state is WebSocketState.CONNECTED:
            await self._websocket.close(code)


async def _send(websocket: WebSocket, message: Answer | StatusMessage) -> None:
    """Sends, or says that the client is gone.

    Raises:
        WebSocketDisconnect: if it is.
    """
    try:
        await websocket.send_text(message.model_dump_json())
    except RuntimeError:  # it has said goodbye, and that has not been read yet
        raise WebSocketDisconnect from None


def _text(message: Message) -> str | bytes:
    """What a message says.

    Raises:
        WebSocketDisconnect: if it says that the client is gone.
    """
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
    return message.get("text") or message.get("bytes") or ""
