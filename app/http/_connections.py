"""Connections: time limits, and places for those who need them.

Uvicorn limits sizes, pings and the pauses between requests. It waits for ever for a request that
never ends or a client that never reads, and its ``limit_concurrency`` refuses everybody once that
many connections are open, silent ones too. Here a connection has a deadline in each state, and
if there are too many, the one that has waited longest is closed in favour of the new one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from voicegraph.graph.errors import Problem
from voicegraph.schemas.control import ControlLimits

from .access_control import ACCESS, problem_response

_MOST_BEFORE_ACCESS = 8192
"""Bytes that a WebSocket client may send before it has access; a token is one short message."""


class _Connection(Protocol):
    """What :class:`ConnectionTable` knows of a connection."""

    transport: asyncio.Transport
    client: tuple[str, int] | None

    @property
    def waits(self) -> bool:
        """Whether the server owes it nothing: it may be closed to make room."""
        ...


class ConnectionTable:
    """The open connections of a server, oldest first.

    Args:
        limits: how many there may be, and the time limits.
    """

    def __init__(self, limits: ControlLimits) -> None:
        self.limits = limits
        self._open: dict[_Connection, None] = {}

    def add(self, connection: _Connection) -> None:
        """Adds a new connection; if there are too many, one is closed."""
        self._open[connection] = None
        if len(self._open) > self.limits.connections:
            victim = self._longest_waiting() or connection
            self.discard(victim)
            victim.transport.abort()

    def discard(self, connection: _Connection) -> None:
        """Forgets a connection that is closed or has become a WebSocket."""
        self._open.pop(connection, None)

    def _longest_waiting(self) -> _Connection | None:
        """The oldest that waits, of the address with the most: one client cannot crowd out all."""
        waiting = [connection for connection in self._open if connection.waits]
        counts = Counter(_host(connection) for connection in waiting)
        return max(waiting, key=lambda connection: counts[_host(connection)], default=None)


def _host(connection: _Connection) -> str:
    return "" if connection.client is None else connection.client[0]


def _has_access(scope: Mapping[str, Any]) -> bool:
    access = scope.get(ACCESS)
    return access is not None and access.granted


class _Timer:
    """Calls a function after a time, unless it is stopped before."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._handle: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> None:
        """Starts it; it keeps its time if it runs already."""
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(seconds, self._end)

    def stop(self) -> None:
        """Stops it."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _end(self) -> None:
        self._handle = None
        self._call()


class HttpConnection(H11Protocol):
    """An HTTP connection with a deadline for each request, and for reading the responses.

    Args:
        table: all connections of the server.
        options: the arguments of uvicorn.
    """

    def __init__(self, table: ConnectionTable, **options: Any) -> None:
        super().__init__(**options)
        self._table = table
        self._request = _Timer(self._too_slow)
        self._reading = _Timer(self._abort)
        self._upgraded = False

    @property
    def waits(self) -> bool:
        """Whether its request has not arrived, has no access or is answered, or nobody reads it."""
        if self.cycle is None or self.cycle.response_complete or self.flow.write_paused:
            return True
        if not _has_access(self.scope):
            return True
        return not self._arrived and self._upload_idle_s is None

    @property
    def _upload_idle_s(self) -> float | None:
        """For a request that carries files: how long it may pause."""
        access = None if self.cycle is None else self.scope.get(ACCESS)
        return None if access is None else access.upload_idle_s

    @property
    def _arrived(self) -> bool:
        return self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Starts the deadline of the first request."""
        super().connection_made(transport)
        self._table.add(self)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Frees the place."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Starts the deadline of a request with its first byte, and stops it with its last."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Starts a deadline if the next request has begun, or the body of this one goes on."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hands the place over."""
        self._forget()
        self._upgraded = True
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        """The client has not read for some time."""
        super().pause_writing()
        self._reading.start(self._table.limits.send_s)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._reading.stop()

    def _watch(self) -> None:
        if self._arrived or self._upgraded or self.transport.is_closing():
            self._request.stop()
        elif self._upload_idle_s is not None:
            self._request.stop()  # files take as long as they take, but not without a byte
            self._request.start(self._upload_idle_s)
        else:
            self._request.start(self._table.limits.request_s)

    def _forget(self) -> None:
        self._request.stop()
        self._reading.stop()
        self._table.discard(self)

    def send_400_response(self, msg: str) -> None:
        """Answers a request that is no HTTP; uvicorn calls it and would answer with plain text."""
        self._refuse(HTTPStatus.BAD_REQUEST, Problem("bad-request", msg))

    def _too_slow(self) -> None:
        began = self.conn.their_state is h11.SEND_BODY or bool(self.conn.trailing_data[0])
        seconds = self._upload_idle_s
        text = f"the request did not arrive within {self._table.limits.request_s:g} s"
        if seconds is not None:
            text = f"nothing of the upload arrived for {seconds:g} s"
        problem = Problem("too-slow", text) if began else None
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, problem)

    def _refuse(self, status: HTTPStatus, problem: Problem | None) -> None:
        """Closes the connection, with an answer if there is a problem and nothing was answered."""
        if problem is not None and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            if self.cycle is not None and not self.cycle.response_complete:
                self.cycle.disconnected = True  # the application waits for the body: it may stop
                self.cycle.message_event.set()
            response = problem_response(status, problem)
            headers = [*response.raw_headers, (b"connection", b"close")]
            events = (
                h11.Response(status_code=status, headers=headers, reason=status.phrase.encode()),
                h11.Data(data=bytes(response.body)),
                h11.EndOfMessage(),
            )
            self.transport.write(b"".join(self.conn.send(event) or b"" for event in events))
        self.transport.close()
        self._reading.start(self._table.limits.send_s)

    def _abort(self) -> None:
        self.transport.abort()


class WebSocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket connection with a deadline for reading, and with bounded memory.

    Args:
        table: all connections of the server.
        options: the arguments of uvicorn.
    """

    def __init__(self, table: ConnectionTable, **options: Any) -> None:
        super().__init__(**options)
        self._table = table
        self._reading = _Timer(self._abort)
        self._handshake = _Timer(self._require_handshake)
        self._before_access = 0

    @property
    def waits(self) -> bool:
        """Whether it has not shown the token."""
        return not _has_access(getattr(self, "scope", {}))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes a place, and starts the deadline of the handshake."""
        super().connection_made(transport)
        self._handshake.start(self._table.limits.request_s)
        self._table.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Frees the place."""
        self._reading.stop()
        self._handshake.stop()
        self._table.discard(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read: nothing is read from it, since pings are answered."""
        super().pause_writing()
        self._reading.start(self._table.limits.send_s)
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self._reading.stop()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Closes a client without access that sends more than a token: each frame costs time."""
        if self.handshake_complete and self.waits:
            self._before_access += len(data)
            if self._before_access > _MOST_BEFORE_ACCESS:
                self.transport.abort()
                return
        super().data_received(data)

    def handle_cont(self, event: Frame) -> None:
        """Fragments without content would fill the memory, whatever the largest message is."""
        if event.data or event.fin:
            super().handle_cont(event)

    def _require_handshake(self) -> None:
        if not self.handshake_complete:
            self.transport.abort()

    def _abort(self) -> None:
        self.transport.abort()
