"""The HTTP and WebSocket server, on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.optional_packages import version_of
from voicegraph.schemas.control import ControlLimits

from ..control.addresses import Address, listen
from ..control.error_responses import error_response, invalid_request, status_of
from ..control.message_reports import RateLimitedReports
from ..control.service import Service
from ._access_control import AccessControl
from ._connections import ConnectionTable, HttpConnection, WebSocketConnection
from ._openapi import ControlApp
from ._routes import PUBLIC, page, routes
from ._websocket_clients import WebSocketClients

_SHUTDOWN_S = 1
"""How long :meth:`HttpServer.close` waits for responses that are being written, in seconds."""
_CODES = {404: "no-such-route", 405: "wrong-method", 413: "too-large"}


class HttpServer:
    """Serves HTTP and WebSocket clients.

    Args:
        service: the session.
        address: the address to listen on.
        token: clients must send it; None: no token.
        limits: what clients may take.

    Raises:
        VoicegraphError: if the port cannot be opened.
    """

    def __init__(
        self, service: Service, address: Address, token: str | None, limits: ControlLimits
    ) -> None:
        self._socket = listen(address, "tcp")
        self._say = service.live.say
        self.port: int = self._socket.getsockname()[1]
        app = build_app(service, token, limits)
        checked = AccessControl(app, address, token, PUBLIC, self._say, limits)
        self._server = _Server(_config(checked, limits), self._say)
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


def _config(app: AccessControl, limits: ControlLimits) -> uvicorn.Config:
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


def build_app(service: Service, token: str | None, limits: ControlLimits) -> FastAPI:
    """Routes and error handlers; :class:`._access_control.AccessControl` wraps them.

    FastAPI's documentation pages are off: they load scripts from other sites.
    """
    app = ControlApp(
        token is not None,
        title="voicegraph",
        summary="Controls a live session",
        version=version_of("voicegraph") or "0",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    app.include_router(page)
    app.include_router(routes)
    clients = WebSocketClients(service, token, limits)

    @app.websocket("/ws")
    async def updates(websocket: WebSocket) -> None:
        await clients.serve(websocket)

    app.add_exception_handler(VoicegraphError, _voicegraph_error)
    app.add_exception_handler(RequestValidationError, _invalid_body)
    app.add_exception_handler(HTTPException, _framework_error)
    app.add_exception_handler(Exception, _internal_error)
    return app


async def _voicegraph_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, VoicegraphError)
    return _response(status_of(error), error)


async def _invalid_body(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = invalid_request(error.errors())
    return _response(status_of(found), found)


async def _framework_error(request: Request, error: Exception) -> Response:
    """An error of the framework: unknown route, wrong method, body too large."""
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "bad-request")
    text = f"{request.method} {request.url.path}: {error.detail}"
    fix = (
        "GET /openapi.json lists all routes" if error.status_code == HTTPStatus.NOT_FOUND else None
    )
    found = VoicegraphError(Problem(code, text, fix=fix))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    return _response(error.status_code, found, headers)


def _methods(request: Request) -> list[str]:
    """The methods of a path: the framework tells those of one route, but a path may have two."""
    found: set[str] = set()
    for route in (*page.routes, *routes.routes):
        if isinstance(route, Route) and route.path_regex.match(request.url.path):
            found |= route.methods or set()
    return sorted(found | {"HEAD"} if "GET" in found else found)


async def _internal_error(_: Request, error: Exception) -> Response:
    """A bug in this program."""
    problem = Problem("internal", f"{type(error).__name__}: {error}")
    return _response(HTTPStatus.INTERNAL_SERVER_ERROR, VoicegraphError(problem))


def _response(
    status: int, error: VoicegraphError, headers: Mapping[str, str] | None = None
) -> Response:
    body = error_response(error).model_dump_json()
    return Response(body, status, headers, media_type="application/json")
