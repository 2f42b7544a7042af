"""The HTTP and WebSocket server of a live session, on a thread of its own."""

from __future__ import annotations

from fastapi import FastAPI, WebSocket

from voicegraph.graph.optional_packages import version_of
from voicegraph.schemas.control import ControlLimits

from ..control.addresses import Address, listen
from ..control.service import Service
from ..control.token_bucket import TokenBucket
from ..http.access_control import AccessControl, Budgets
from ..http.background_server import BackgroundServer
from ..http.error_handlers import add_error_handlers
from ._openapi import ControlApp
from ._routes import PUBLIC, page, routes
from ._running_pipeline import RunningPipelineText
from ._websocket_clients import WebSocketClients


class SessionServer(BackgroundServer):
    """Serves a live session to HTTP and WebSocket clients.

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
        opened = listen(address, "tcp")
        say = service.live.say
        budgets = Budgets(TokenBucket(limits.requests), TokenBucket(limits.commands))
        app = build_app(service, token, limits, budgets.commands)
        access = AccessControl(app, address, token, PUBLIC, say, limits, budgets=budgets)
        super().__init__(access, opened, limits, say)


def build_app(
    service: Service, token: str | None, limits: ControlLimits, commands: TokenBucket
) -> FastAPI:
    """Routes and error handlers; AccessControl wraps them.

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
    app.state.pipeline = RunningPipelineText()
    app.include_router(page)
    app.include_router(routes)
    clients = WebSocketClients(service, token, limits, commands)

    @app.websocket("/ws")
    async def updates(websocket: WebSocket) -> None:
        await clients.serve(websocket)

    add_error_handlers(app, (page, routes))
    return app
