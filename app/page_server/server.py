"""The page server: routes, access control and the thread that serves them."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from voicegraph.graph.optional_packages import version_of
from voicegraph.schemas.control import ControlLimits

from ..control.addresses import Address, listen
from ..http.access_control import AccessControl, Uploads
from ..http.background_server import BackgroundServer
from ..http.error_handlers import add_error_handlers
from ..http.media_passes import MediaPasses
from ..http.websocket_access import WebSocketAccess
from .routes.all_routes import MEDIA, ROUTERS, UPLOADS
from .routes.page_files import CONTENT_POLICY, page_paths, page_router
from .services.services import Services

LIMITS = ControlLimits(connections=256, websocket_clients=64)
"""A page has up to four connections, and browsers open more at a time."""


class PageServer(BackgroundServer):
    """Serves the page and ``/api``.

    Args:
        services: what stands behind the routes.
        address: the address to listen on.
        token: clients must send it; None: no token.
        say: receives messages about faults.
        limits: what clients may take.

    Raises:
        VoicegraphError: if the port cannot be opened.
    """

    def __init__(
        self,
        services: Services,
        address: Address,
        token: str | None,
        say: Callable[[str], None],
        limits: ControlLimits | None = None,
    ) -> None:
        granted = limits or LIMITS
        opened = listen(address, "tcp")
        uploads = Uploads(UPLOADS, services.limits.upload_bytes, services.limits.upload_idle_s)
        public = frozenset(page_paths())
        app = build_app(services, token, granted)
        checked = AccessControl(
            app,
            address,
            token,
            public,
            say,
            granted,
            CONTENT_POLICY,
            uploads,
            app.state.passes,
        )
        super().__init__(checked, opened, granted, say)
        self._services = services

    def start(self) -> None:
        """Starts the thread that serves, and goes on with jobs that wait."""
        super().start()
        self._services.start()

    def close(self) -> None:
        """Ends commands that requests wait for, then closes connections and port."""
        self._services.close()
        super().close()


def build_app(services: Services, token: str | None, limits: ControlLimits) -> FastAPI:
    """Routes and error handlers; AccessControl wraps them.

    FastAPI's documentation pages are off: they load scripts from other sites.
    """
    app = FastAPI(
        title="voicegraph app",
        summary="Starts and controls live sessions, keeps voices, presets, takes and files",
        version=version_of("voicegraph") or "0",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.passes = MediaPasses(MEDIA)
    app.state.places = {
        "session": WebSocketAccess(token, limits.websocket_clients, limits.token_s),
        "levels": WebSocketAccess(token, services.limits.level_clients, limits.token_s),
    }
    routers = (page_router(), *ROUTERS)
    for router in routers:
        app.include_router(router)
    add_error_handlers(app, routers)
    return app
