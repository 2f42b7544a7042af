r"""JSON bodies of requests, parsed strictly.

Python's own parser takes text that is no JSON or that cannot be written again: lone surrogates
(``"\ud800"``) and invalid UTF-8. It is read by the parser of pydantic instead, which refuses them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

import pydantic_core
from fastapi import Request, Response
from fastapi.routing import APIRoute


class JsonRoute(APIRoute):
    """A route that reads its body with :func:`read_json`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, with a request that parses strictly."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(_JsonRequest(request.scope, request.receive))

        return handle


class _JsonRequest(Request):
    async def json(self) -> Any:
        """The body; FastAPI answers a JSONDecodeError with status 422."""
        return read_json(await self.body())


def read_json(body: bytes) -> Any:
    """Parses JSON in UTF-8, with or without a byte order mark.

    Raises:
        json.JSONDecodeError: if it is none, is nested deeper than 200 levels, or has text that is
            no Unicode. The message says where.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        why = f"byte {error.start} is not UTF-8"
        raise json.JSONDecodeError(why, "", error.start) from None
    try:
        return pydantic_core.from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise json.JSONDecodeError(str(error), text, 0) from None
