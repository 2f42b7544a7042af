"""All routers of the page server."""

from __future__ import annotations

import re

from fastapi import APIRouter

from . import devices, session, session_websocket

ROUTERS: tuple[APIRouter, ...] = (devices.routes, session.routes, session_websocket.routes)
"""Each file of routes adds its own."""

UPLOADS = re.compile(r"POST /api/(voices|jobs|presets)|PUT /api/voices/[^/]+/picture")
"""Requests that carry files; ``Uploads`` of app/http/access_control.py."""
