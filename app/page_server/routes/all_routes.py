"""All routers of the page server."""

from __future__ import annotations

import re

from fastapi import APIRouter

from . import (
    devices,
    experiments,
    jobs,
    presets,
    session,
    session_websocket,
    takes,
    voices,
)

ROUTERS: tuple[APIRouter, ...] = (
    devices.routes,
    session.routes,
    session_websocket.routes,
    voices.routes,
    presets.routes,
    takes.routes,
    jobs.routes,
    experiments.routes,
    experiments.pages,
)
"""Each file of routes adds its own."""

UPLOADS = re.compile(r"[A-Z]+ /api/(voices|jobs|presets|voices/[^/]+/picture)")
"""Requests that carry files; a method that the path does not have is answered by the routes."""
