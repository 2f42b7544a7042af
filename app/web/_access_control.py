"""Who may come in: every request passes here before anything else sees it.

Being on this machine is no protection by itself: any page in the user's browser can send requests
to ``localhost``. A page may get there by a name of its own whose address changes (DNS rebinding),
so the ``Host`` header must be one of ours. It may send requests or open a WebSocket across sites,
so an ``Origin`` must be our own, and bodies must be JSON, which forms cannot send. No answer
carries CORS headers, so no other site can read one.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from http import HTTPStatus

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voicegraph.graph.errors import Problem, VoicegraphError

from ..control.addresses import Address
from ..control.error_responses import refusal
from ._host_check import from_own_page, name_in, own_names, same_ip

LARGEST_BODY = 65536
"""Bytes of a request's body, and of a WebSocket message."""

TRUSTED = "voicegraph.trusted"
"""Where a scope says whether its client needs to show no (further) token."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_TOO_LARGE = f"the body is larger than {LARGEST_BODY} bytes"


class Guard:
    """An ASGI application round another one.

    Args:
        app: the one inside.
        address: where it listens.
        token: what clients must show; None: nothing.
        public: paths that hold nothing of the session, and need no token.
        say: where failures inside are told.
    """

    def __init__(
        self,
        app: ASGIApp,
        address: Address,
        token: str | None,
        public: frozenset[str],
        say: Callable[[str], None],
    ) -> None:
        self._app = app
        self._token = token
        self._public = public
        self._say = say
        self._hosts = own_names(address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request pass, or answers it."""
        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await respond(*refused)(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
                message["headers"] = [*message.get("headers", ()), *names]
            await send(message)

        bounded = _bounded(receive) if scope["type"] == "http" else receive
        try:
            await self._app(scope, bounded, sending)
        except Exception as error:  # answered already; told here, as nobody reads a traceback
            self._say(f"control: {type(error).__name__}: {error}")

    def _refused(self, scope: Scope, headers: Headers) -> tuple[HTTPStatus, Problem] | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own(name_in(hosts[0]), scope):
            text = f"the host {', '.join(hosts) or '(none)'} is not served here"
            return HTTPStatus.FORBIDDEN, Problem("wrong-host", text)
        origins = headers.getlist("origin")
        if any(not from_own_page(origin, hosts[0]) for origin in origins):
            text = f"requests of pages from {', '.join(origins)} are not taken"
            return HTTPStatus.FORBIDDEN, Problem("wrong-origin", text)
        if not self._lets_in(scope, headers):
            return _unauthorized()
        if scope["type"] == "http" and scope["method"] in ("POST", "PUT"):
            return _wrong_body(headers)
        return None

    def _is_own(self, host: str, scope: Scope) -> bool:
        """Whether a name in ``Host`` is ours: as we were told, or the address that was reached."""
        here = (scope.get("server") or ("",))[0]
        return host in self._hosts or same_ip(host, here)

    def _lets_in(self, scope: Scope, headers: Headers) -> bool:
        """Whether the token is right, not needed, or may still be shown in a first message."""
        scope[TRUSTED] = self._token is None
        if self._token is None:
            return True
        shown = _shown(scope, headers)
        if shown is not None:
            scope[TRUSTED] = same_token(shown, self._token)
            return scope[TRUSTED] or scope["path"] in self._public
        return scope["type"] == "websocket" or scope["path"] in self._public


def respond(status: int, problem: Problem) -> Response:
    """A refusal as a response, of a request or of a WebSocket's handshake."""
    answer = refusal(VoicegraphError(problem))
    headers = dict(_HEADERS)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = answer.model_dump_json()
    return Response(body, int(status), headers=headers, media_type="application/json")


def same_token(shown: str, token: str) -> bool:
    """Compared in a time that does not tell how far they agree."""
    return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), token.encode())


def _shown(scope: Scope, headers: Headers) -> str | None:
    """The token in the header; for WebSockets, which in browsers have none, in the query."""
    given = headers.get("authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    if scope["type"] == "websocket":
        return QueryParams(scope["query_string"]).get("token")
    return None


def _bounded(receive: Receive) -> Receive:
    """The same, up to the largest body."""
    count = 0

    async def receiving() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > LARGEST_BODY:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
        return message

    return receiving


def _wrong_body(headers: Headers) -> tuple[HTTPStatus, Problem] | None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        text = f"expected a body of the type application/json, found {kind or 'none'}"
        fix = 'with curl: -H "Content-Type: application/json"'
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, Problem("no-json", text, fix=fix)
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Problem("too-large", _TOO_LARGE)
    return None


def _unauthorized() -> tuple[HTTPStatus, Problem]:
    fix = "with curl: -H 'Authorization: Bearer TOKEN'"
    problem = Problem("wrong-token", "the session's token is missing, or is not this one", fix=fix)
    return HTTPStatus.UNAUTHORIZED, problem
