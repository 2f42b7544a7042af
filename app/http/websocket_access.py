"""Admission of WebSocket clients: places, and the token as the first message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus

from pydantic import BaseModel, ValidationError
from starlette.responses import Response
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.schemas.control import Answer, TokenMessage

from ..control.error_responses import error_response
from .access_control import ACCESS, Access, problem_response, same_token

NORMAL, POLICY, BROKEN, TRY_LATER = 1000, 1008, 1011, 1013
"""Closing codes of RFC 6455 and of IANA's registry."""
_PATIENCE_S = 1.0
"""How long a client waits for a place: one that asks again at once takes processor time."""


class WebSocketAccess:
    """The places for the clients of one WebSocket route.

    Args:
        token: clients must send it; None: no token.
        places: how many clients are served at a time; they count once they have access.
        token_s: seconds within which a client must have sent the token.
    """

    def __init__(self, token: str | None, places: int, token_s: float) -> None:
        self._token = token
        self._places = places
        self._token_s = token_s
        self._count = 0

    async def admit(self, websocket: WebSocket, serve: Callable[[], Awaitable[None]]) -> None:
        """Accepts a client, checks its token, and serves it until the connection is closed.

        If all places stay taken for a second, it is refused.
        """
        access: Access = websocket.scope[ACCESS]
        if access.granted and not await self._has_place():
            await websocket.send_denial_response(problem_response(503, self._too_many))
            return
        with suppress(WebSocketDisconnect):
            await websocket.accept()
            if access.granted or await self._authenticate(websocket, access):
                self._count += 1
                try:
                    await serve()
                finally:
                    self._count -= 1

    async def _has_place(self) -> bool:
        """Whether there is a place, now or in a second."""
        if self._count >= self._places:
            await asyncio.sleep(_PATIENCE_S)
        return self._count < self._places

    @property
    def _too_many(self) -> Problem:
        return Problem("too-many", f"{self._places} clients are connected already")

    async def _authenticate(self, websocket: WebSocket, access: Access) -> bool:
        """Checks the token in the first message; closes the connection if it is wrong."""
        try:
            async with asyncio.timeout(self._token_s):
                text = message_text(await websocket.receive())
                sent = TokenMessage.model_validate_json(text).token
        except (TimeoutError, ValidationError):
            sent = ""
        access.granted = same_token(sent, self._token or "")
        if access.granted and await self._has_place():
            await send_model(websocket, Answer(ok=True))
            return True
        expected = "expected the session's token in the first message"
        wrong = Problem("wrong-token", expected, fix='{"token": "..."}')
        problem, code = (self._too_many, TRY_LATER) if access.granted else (wrong, POLICY)
        await send_model(websocket, error_response(VoicegraphError(problem)))
        await websocket.close(code, problem.code)
        return False


def websocket_required() -> Response:
    """The answer to a WebSocket's address that is asked over plain HTTP (RFC 9110, 15.5.22)."""
    text = "this route is a WebSocket: connect with ws://"
    answer = problem_response(HTTPStatus.UPGRADE_REQUIRED, Problem("no-websocket", text))
    answer.headers["Upgrade"] = "websocket"
    return answer


async def run_until_either_ends(
    websocket: WebSocket, *tasks: asyncio.Task[None], others: set[asyncio.Task[None]]
) -> None:
    """Waits for the first of some tasks, cancels all, and closes the connection.

    Args:
        websocket: the connection.
        tasks: what runs for it, such as sending and receiving.
        others: tasks that are begun meanwhile; the end does not wait for them.
    """
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        every = [*tasks, *others]
        for task in every:
            task.cancel()
        ends = await asyncio.gather(*every, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect):
            await close(websocket, BROKEN)
            raise end
    await close(websocket, NORMAL)


async def close(websocket: WebSocket, code: int) -> None:
    """Closes a connection, unless it is closed."""
    if websocket.application_state is WebSocketState.CONNECTED:
        await websocket.close(code)


async def send_model(websocket: WebSocket, message: BaseModel) -> None:
    """Sends a model as JSON.

    Raises:
        WebSocketDisconnect: if the client has disconnected.
    """
    await send_text(websocket, message.model_dump_json())


async def send_text(websocket: WebSocket, text: str) -> None:
    """Sends text.

    Raises:
        WebSocketDisconnect: if the client has disconnected.
    """
    try:
        await websocket.send_text(text)
    except RuntimeError:  # the client has closed, and its close message is not read yet
        raise WebSocketDisconnect from None


def message_text(message: Message) -> str | bytes:
    """The text or bytes of a received message.

    Raises:
        WebSocketDisconnect: if the client has disconnected.
    """
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
    return message.get("text") or message.get("bytes") or ""
