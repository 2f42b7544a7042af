"""Errors of requests as answers: problems as JSON, whatever raised them."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import chain

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from voicegraph.graph.errors import Problem, VoicegraphError

from ..control.error_responses import DISK_FULL, error_response, invalid_request, status_of

_CODES = {404: "no-such-route", 405: "wrong-method", 413: "too-large"}


def add_error_handlers(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Lets an application answer every error with ``schemas.control.Answer``.

    Args:
        app: the application.
        routers: all of its routes, for the methods that a path has.
    """
    app.state.routers = routers
    app.add_exception_handler(VoicegraphError, _voicegraph_error)
    app.add_exception_handler(RequestValidationError, _invalid_body)
    app.add_exception_handler(HTTPException, _framework_error)
    app.add_exception_handler(OSError, _system_error)
    app.add_exception_handler(Exception, _internal_error)


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
    for route in chain.from_iterable(router.routes for router in request.app.state.routers):
        if isinstance(route, Route) and route.path_regex.match(request.url.path):
            found |= route.methods or set()
    return sorted(found | {"HEAD"} if "GET" in found else found)


async def _system_error(_: Request, error: Exception) -> Response:
    """An error of the operating system that nobody has put into better words."""
    assert isinstance(error, OSError)
    why = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        problem = Problem("disk-full", f"it cannot be written: {why}", fix="make room")
        return _response(DISK_FULL, VoicegraphError(problem))
    problem = Problem("system", f"the operating system refuses: {why}")
    return _response(HTTPStatus.INTERNAL_SERVER_ERROR, VoicegraphError(problem))


async def _internal_error(_: Request, error: Exception) -> Response:
    """A bug in this program."""
    problem = Problem("internal", f"{type(error).__name__}: {error}")
    return _response(HTTPStatus.INTERNAL_SERVER_ERROR, VoicegraphError(problem))


def _response(
    status: int, error: VoicegraphError, headers: Mapping[str, str] | None = None
) -> Response:
    body = error_response(error).model_dump_json()
    return Response(body, status, headers, media_type="application/json")
