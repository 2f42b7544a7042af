"""The errors of routes for the OpenAPI document: those of any request, and what a server adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicegraph.schemas.control import Answer

_TEXTS = {
    400: "The request is no HTTP",
    401: "The token is missing or wrong",
    403: "The host name or the origin is not allowed",
    408: "The request did not arrive in time",
    413: "The body is too large",
    415: "The body has another content type",
    422: "The request does not fit this description",
    500: "A bug in voicegraph",
}
_ALWAYS = (400, 401, 403, 408, 500)
BODY = (413, 415, 422)
"""What a route with a body may answer."""


def documented_errors(own: Mapping[int, str], *codes: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides its result: ``codes``, and what any request may get.

    Args:
        own: the server's own texts by status code; they take precedence.
        codes: of the route.

    Raises:
        KeyError: if a code has no text.
    """
    texts = {**_TEXTS, **own}
    chosen = sorted({*_ALWAYS, *codes})
    return {code: {"model": Answer, "description": texts[code]} for code in chosen}
