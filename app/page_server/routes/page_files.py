"""The page and its files; they hold no data, and need no token."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response

PAGE = Path(__file__).parent.parent / "page"
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Content security policy of the page: nothing from other sites, and no inline code."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}


def page_paths() -> dict[str, Path]:
    """Path of a URL -> file, for all files of the page, those in folders too."""
    found = {
        f"/{path.relative_to(PAGE).as_posix()}": path
        for path in sorted(PAGE.rglob("*"))
        if path.is_file() and path.suffix in _TYPES
    }
    return {"/": PAGE / "index.html", **found}


def page_router() -> APIRouter:
    """The routes of all files that the page has now."""
    router = APIRouter(include_in_schema=False)
    for url, path in page_paths().items():
        router.add_api_route(url, _sender(path), methods=["GET"])
    return router


def _sender(path: Path):
    async def send() -> Response:
        return _file(path)

    return send


@cache
def _file(path: Path) -> Response:
    """Read once, and here: Starlette's FileResponse reads on threads that outlive the server."""
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix])
