"""All routers of the page server."""

from __future__ import annotations

import re

from fastapi import APIRouter

from . import (
    devices,
    experiments,
    jobs,
    latency,
    media_passes,
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
    latency.routes,
    media_passes.routes,
)
"""Each file of routes adds its own."""

UPLOADS = re.compile(r"[A-Z]+ /api/(voices|jobs|presets|voices/[^/]+/picture)")
"""Requests that carry files; a method that the path does not have is answered by the routes."""

MEDIA = re.compile(
    r"/experiments/[^/]+/page|/api/presets/[^/]+/file|/api/voices/[^/]+/picture"
    r"|/api/takes/[^/]+/(input|output)\.wav"
    r"|/api/jobs/[^/]+/(results\.zip|files/[0-9]+/(input|output))"
)
"""Files that a browser opens in a tab, a player or a download, where it sends no token."""
