"""Serves an ASGI application on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from voicegraph.schemas.control import ControlLimits

from ..control.message_reports import RateLimitedReports
from ._connections import ConnectionTable, HttpConnection, WebSocketConnection

_SHUTDOWN_S = 1
"""How long :meth:`BackgroundServer.close` waits for responses that are being written."""


class BackgroundServer:
    """Serves HTTP and WebSocket clients.

    Args:
        app: the application; :class:`.access_control.AccessControl` around it.
        listening: the socket; it is closed at the end.
        limits: what clients may take.
        say: receives messages about faults.
    """

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        limits: ControlLimits,
        say: Callable[[str], None],
    ) -> None:
        self._socket = listening
        self._say = say
        self.port: int = listening.getsockname()[1]
        self._server = _Server(_config(app, limits), say)
        self._thread = threading.Thread(target=self._run, name="voicegraph-http", daemon=True)

    def start(self) -> None:
        """Starts the thread. Clients that connected earlier have been waiting."""
        self._thread.start()

    def close(self) -> None:
        """Closes all connections and frees the port; waits for both."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception as error:  # the session goes on without HTTP
            self._say(f"the HTTP server has stopped: {type(error).__name__}: {error}")


class _Server(uvicorn.Server):
    """Reports faults of connections in the session; asyncio would print them on the terminal."""

    def __init__(self, config: uvicorn.Config, say: Callable[[str], None]) -> None:
        super().__init__(config)
        self._reports = RateLimitedReports(say)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until ``should_exit`` is set."""
        asyncio.get_running_loop().set_exception_handler(self._report)
        await super().serve(sockets)

    def _report(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        what = context["message"] if error is None else f"{type(error).__name__}: {error}"
        self._reports.report(f"control: {what}")


def _config(app: ASGIApp, limits: ControlLimits) -> uvicorn.Config:
    """Logging is off: the terminal may be showing the session."""
    table = ConnectionTable(limits)
    return uvicorn.Config(
        app,
        interface="asgi3",
        loop="asyncio",
        http=cast("Any", partial(HttpConnection, table)),
        ws=cast("Any", partial(WebSocketConnection, table)),
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=limits.body_bytes,
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=limits.header_bytes,
        timeout_keep_alive=cast("Any", limits.keep_alive_s),  # a loop's timer takes fractions, too
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
