"""The HTTP server, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from http import HTTPStatus

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.optional_packages import version_of

from ..control.addresses import Address, listen
from ..control.error_responses import explained, refusal, status_of
from ..control.service import Desk
from ._access_control import LARGEST_BODY, Guard
from ._routes import PUBLIC, page, routes
from ._websocket_clients import Clients

MOST_CONNECTIONS = 64
_PATIENCE_S = 1
"""How long the end waits for answers that are being written."""
_CODES = {404: "no-such-route", 405: "wrong-method", 413: "too-large"}


class HttpServer:
    """Serves a desk.

    Args:
        desk: what is shown and steered.
        address: where to listen.
        token: what clients must show; None: nothing.

    Raises:
        VoicegraphError: if the port cannot be had.
    """

    def __init__(self, desk: Desk, address: Address, token: str | None) -> None:
        self._socket = listen(address, "tcp")
        self._say = desk.live.say
        self.port: int = self._socket.getsockname()[1]
        app = Guard(build_app(desk, token), address, token, PUBLIC, self._say)
        self._server = uvicorn.Server(_config(app))
        self._thread = threading.Thread(target=self._run, name="voicegraph-http", daemon=True)

    def start(self) -> None:
        """Begins to answer. Who connected before has been waiting."""
        self._thread.start()

    def close(self) -> None:
        """Says goodbye to everybody and frees the port; waits for both."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception as error:  # the session goes on without
            self._say(f"HTTP has ended: {type(error).__name__}: {error}")


def _config(app: Guard) -> uvicorn.Config:
    """Nothing is written to the screen, which may be showing the session."""
    return uvicorn.Config(
        app,
        interface="asgi3",
        loop="asyncio",
        http="h11",
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws_max_size=LARGEST_BODY,
        ws_per_message_deflate=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=_PATIENCE_S,
    )


def build_app(desk: Desk, token: str | None) -> FastAPI:
    """Routes and their errors, without protection: :class:`.guard.Guard` goes round it.

    FastAPI's own pages of documentation load scripts from elsewhere, so they are off.
    """
    app = FastAPI(
        title="voicegraph",
        summary="Steers a live session",
        version=version_of("voicegraph") or "0",
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = desk
    app.include_router(page)
    app.include_router(routes)
    clients = Clients(desk, token)

    @app.websocket("/ws")
    async def updates(websocket: WebSocket) -> None:
        await clients.serve(websocket)

    app.add_exception_handler(VoicegraphError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _other)
    app.add_exception_handler(Exception, _broken)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, VoicegraphError)
    return _response(status_of(error), error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = explained(error.errors())
    return _response(status_of(found), found)


async def _other(request: Request, error: Exception) -> Response:
    """Of the framework: no such route, another method, a body that is too large."""
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "bad-request")
    text = f"{request.method} {request.url.path}: {error.detail}"
    fix = (
        "GET /openapi.json lists all routes" if error.status_code == HTTPStatus.NOT_FOUND else None
    )
    return _response(error.status_code, VoicegraphError(Problem(code, text, fix=fix)))


async def _broken(_: Request, error: Exception) -> Response:
    """A mistake in this program."""
    problem = Problem("internal", f"{type(error).__name__}: {error}")
    return _response(HTTPStatus.INTERNAL_SERVER_ERROR, VoicegraphError(problem))


def _response(status: int, error: VoicegraphError) -> Response:
    body = refusal(error).model_dump_json()
    return Response(body, status, media_type="application/json")
