"""The connection to a running session: its statuses come in, commands go out.

All pages share it: the session sends each status once, however many pages there are. A second
connection brings the spectra, only while a page shows them.
"""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import pydantic_core
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from voicegraph.graph.errors import Problem, StateError
from voicegraph.schemas.control import Answer, HttpInfo, RunningPipeline
from voicegraph.schemas.live_command import LiveCommand

RATE_HZ = 20
"""Statuses a second that the session sends while a page is open."""
_IDLE_HZ = 1
_LARGEST = 1 << 22
_REQUEST_S = 10

OnMessage = Callable[[str, dict[str, Any]], None]
"""Takes a message as text and parsed."""


OTHER_VERSION = Problem(
    "other-version",
    "the session that runs was started by another version of voicegraph",
    fix="stop it, and start it again",
)


def session_is_gone() -> StateError:
    """The error of a command while no session runs."""
    return StateError(Problem("no-session", "no session runs", fix="start one: POST /api/session"))


class SessionLink:
    """A session's WebSocket.

    Args:
        info: its address and token.
        on_message: takes the statuses and spectra that are followed.
    """

    def __init__(self, info: HttpInfo, on_message: OnMessage) -> None:
        self.info = info
        self._on_message = on_message
        self._commands: ClientConnection | None = None
        self._waiting: list[tuple[Any, asyncio.Future[Answer]]] = []

    async def follow_statuses(self) -> None:
        """Passes on statuses until the connection ends."""
        async for text, message in self._messages(f"?rate={RATE_HZ}"):
            if message.get("kind") == "status":
                self._on_message(text, message)

    async def follow_spectra(self) -> None:
        """Passes on spectra until the connection ends; its statuses are not needed."""
        async for text, message in self._messages(f"?rate={_IDLE_HZ}&spectrum=true"):
            if message.get("kind") == "spectrum":
                self._on_message(text, message)

    async def serve_commands(self, on_status: Callable[[dict[str, Any]], None]) -> None:
        """Keeps the connection for commands until it ends.

        Args:
            on_status: takes a status a second, the first at once.
        """
        try:
            async for _, message in self._messages(f"?rate={_IDLE_HZ}", commands=True):
                if message.get("kind") == "answer":
                    self._resolve(message)
                elif message.get("kind") == "status":
                    on_status(message["status"])
        finally:
            self._commands = None
            for _, future in self._waiting:
                if not future.done():
                    future.set_exception(session_is_gone())
            self._waiting.clear()

    async def run(self, command: LiveCommand) -> Answer:
        """Sends a command, and waits for its answer.

        Raises:
            StateError: if the session ends meanwhile.
        """
        if self._commands is None:
            raise session_is_gone()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # The session answers equal commands in the order in which they came.
        self._waiting.append((pydantic_core.to_jsonable_python(command), future))
        try:
            await self._commands.send(command.model_dump_json())
        except WebSocketException:
            raise session_is_gone() from None
        return await future

    async def pipeline(self) -> RunningPipeline:
        """What the session runs now.

        Raises:
            StateError: if it does not answer, or is of another version.
        """
        try:
            body = await asyncio.to_thread(self._get, "pipeline")
        except OSError:
            raise session_is_gone() from None
        try:
            return RunningPipeline.of_any_version(body)
        except ValidationError:
            raise StateError(OTHER_VERSION) from None

    async def live_values(self) -> dict[str, Any]:
        """The values of the live params: ``node.param`` -> value.

        Raises:
            StateError: if the session does not answer.
        """
        try:
            body = await asyncio.to_thread(self._get, "params")
        except OSError:
            raise session_is_gone() from None
        return {param["name"]: param["value"] for param in pydantic_core.from_json(body)}

    def _get(self, route: str) -> bytes:
        address = urlsplit(self.info.url)
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=_REQUEST_S
        )
        try:
            connection.request("GET", f"/{route}", headers=self._headers)
            answer = connection.getresponse()
            body = answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise OSError(f"status {answer.status}")
        return body

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.info.token}"}

    async def _messages(
        self, query: str, *, commands: bool = False
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """The messages of a connection until it ends, however that is."""
        try:
            async with connect(
                self.info.websocket + query,
                additional_headers=self._headers,
                max_size=_LARGEST,
                compression=None,
                proxy=None,
            ) as connection:
                if commands:
                    self._commands = connection
                async for text in connection:
                    yield str(text), pydantic_core.from_json(text)
        except (OSError, WebSocketException):
            return

    def _resolve(self, message: dict[str, Any]) -> None:
        answer = Answer.model_validate(message, extra="ignore")
        command = pydantic_core.to_jsonable_python(answer.command)
        for index, (sent, future) in enumerate(self._waiting):
            if sent == command:
                del self._waiting[index]
                if not future.done():
                    future.set_result(answer)
                return
