"""Passes for files that a browser opens without a token: ``/api/passes``."""

from __future__ import annotations

from urllib.parse import unquote

from fastapi import Request, Response

from voicegraph.app.http.documented_errors import BODY
from voicegraph.app.http.media_passes import MediaPasses
from voicegraph.app.storage import NotFoundError
from voicegraph.graph.errors import Problem
from voicegraph.schemas.app import OpenMedia

from ._api import api_router, errors

routes = api_router()


@routes.post("/passes", responses=errors(404, *BODY), status_code=204, response_class=Response)
async def open_media(asked: OpenMedia, request: Request) -> Response:
    """Lets this browser open a file in a tab, a player or a download for an hour, by a cookie."""
    passes: MediaPasses = request.app.state.passes
    cookie = passes.cookie(unquote(asked.path))
    if cookie is None:
        text = f"there are no passes for {asked.path[:100]!r}"
        fix = "send the token with the request: Authorization: Bearer TOKEN"
        raise NotFoundError(Problem("no-pass", text, fix=fix))
    return Response(status_code=204, headers={"Set-Cookie": cookie})
