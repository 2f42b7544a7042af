"""Access control: checks every request before the application sees it.

Listening on loopback alone does not protect: any web page in the user's browser can send requests
to ``localhost``.

* DNS rebinding (a site points its own name at 127.0.0.1): ``Host`` must be in an allowlist.
* Cross-site requests and WebSockets: an ``Origin`` header must name our own page, browsers must
  not call a command cross-site (``Sec-Fetch-Site``), and bodies must be JSON, which HTML forms
  cannot send.
* Reading responses from other sites: no response has CORS headers.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.schemas.control import ControlLimits

from ..control.addresses import Address
from ..control.error_responses import error_response
from ..control.token_bucket import TokenBucket
from ._host_check import allowed_hosts, host_name, is_same_origin, same_ip
from .media_passes import MediaPasses

ACCESS = "voicegraph.access"
"""Key of the ASGI scope: its :class:`Access`."""

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Content security policy of pages: nothing from other sites, and no inline code."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_JSON = frozenset({"application/json"})
_CLOSING = HTTPStatus.SERVICE_UNAVAILABLE, Problem("closing", "the server is closing")
"""The answer to a request that the end of the server cuts off."""
_CURL_FILE = "with curl: -F files=@FILE"


@dataclass
class Access:
    """Whether the client has sent the token, or needs none; a WebSocket may send it later."""

    granted: bool
    upload_idle_s: float | None = None
    """For a request that carries files: seconds without a byte after which it is given up."""


@dataclass(frozen=True)
class Uploads:
    """Requests whose bodies are files instead of JSON.

    Attributes:
        requests: matches ``METHOD PATH`` of these requests as a whole.
        largest: largest body in bytes.
        idle_s: seconds without a byte after which such a request is given up.
        types: content types of their bodies.
    """

    requests: re.Pattern[str]
    largest: int
    idle_s: float
    types: frozenset[str] = frozenset({"multipart/form-data"})

    def match(self, scope: Scope) -> bool:
        """Whether a request is one of these."""
        method, path = scope.get("method", ""), scope["path"]
        return self.requests.fullmatch(f"{method} {path}") is not None


@dataclass(frozen=True, slots=True)
class Budgets:
    """What clients with access may ask in a second, all together; more has to wait.

    Attributes:
        reads: requests that change nothing.
        commands: all others.
    """

    reads: TokenBucket
    commands: TokenBucket

    def of(self, method: str) -> TokenBucket:
        """The budget of a request."""
        return self.reads if method in ("GET", "HEAD", "OPTIONS") else self.commands


class AccessControl:
    """ASGI middleware that checks host, origin, token and body of each request.

    Args:
        app: the application to protect.
        address: where the server listens.
        token: clients must send it; None: no token.
        public: paths without data of the session, which need no token.
        say: receives messages about errors in the application.
        limits: the maximum size of a body, and how many requests are refused in a second.
        content_policy: the content security policy of answers that have none of their own.
        uploads: requests that may carry files; None: none may.
        passes: cookies in place of the token for single files; None: there are none.
        budgets: of requests with access; None: they do not wait.
    """

    def __init__(
        self,
        app: ASGIApp,
        address: Address,
        token: str | None,
        public: frozenset[str],
        say: Callable[[str], None],
        limits: ControlLimits,
        content_policy: str = CONTENT_POLICY,
        uploads: Uploads | None = None,
        passes: MediaPasses | None = None,
        budgets: Budgets | None = None,
    ) -> None:
        self._app = app
        self._token = token
        self._public = public
        self._say = say
        self._limits = limits
        self._uploads = uploads
        self._passes = passes
        self._headers = {**_HEADERS, "Content-Security-Policy": content_policy}
        self._refusals = TokenBucket(limits.refusals)
        self._budgets = budgets
        self._hosts = allowed_hosts(address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it with an error."""
        headers = Headers(scope=scope)
        access = scope[ACCESS] = Access(False)
        denied = self._denial(scope, headers, access)
        if scope["type"] == "http":
            await self._wait(scope["method"], access)
        if denied is not None:
            await problem_response(*denied)(scope, receive, send)
            return

        answered = False

        async def sending(message: Message) -> None:
            nonlocal answered
            answered = True
            if message["type"] == "http.response.start":
                message["headers"] = self._with_headers(message.get("headers", ()))
            await send(message)

        if scope["type"] == "http" and scope["method"] == "HEAD":  # the server leaves the body out
            scope = {**scope, "method": "GET"}
        limited = _limited(receive, self._largest(scope)) if scope["type"] == "http" else receive
        try:
            await self._app(scope, limited, sending)
        except ClientDisconnect:
            return  # in the middle of a body: a page that was closed
        except asyncio.CancelledError:
            if scope["type"] == "http" and not answered:
                await problem_response(*_CLOSING)(scope, receive, send)
            raise
        except Exception as error:  # already answered with status 500; nobody would see a traceback
            self._say(f"control: {type(error).__name__}: {error}")

    def _with_headers(self, own: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """An answer's own headers take precedence: a page may have its own content policy."""
        given = list(own)
        names = {name.lower() for name, _ in given}
        common = [(k.lower().encode(), v.encode()) for k, v in self._headers.items()]
        return [*given, *(header for header in common if header[0] not in names)]

    def _largest(self, scope: Scope) -> int:
        """Largest body of a request."""
        if self._uploads is not None and self._uploads.match(scope):
            return self._uploads.largest
        return self._limits.body_bytes

    async def _wait(self, method: str, access: Access) -> None:
        """Clients share budgets: their requests must not cost the engine time."""
        if not access.granted:
            await self._refusals.admit()
        elif self._budgets is not None:
            await self._budgets.of(method).admit()

    def _denial(
        self, scope: Scope, headers: Headers, access: Access
    ) -> tuple[HTTPStatus, Problem] | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_allowed_host(host_name(hosts[0]), scope):
            text = f"the host name {', '.join(hosts) or '(none)'} is not allowed here"
            return HTTPStatus.FORBIDDEN, Problem("wrong-host", text)
        origins = headers.getlist("origin")
        if any(not is_same_origin(origin, hosts[0]) for origin in origins):
            text = f"requests from pages of {', '.join(origins)} are not allowed"
            return HTTPStatus.FORBIDDEN, Problem("wrong-origin", text)
        if not self._is_authorized(scope, headers, access):
            return _unauthorized()
        if scope["type"] == "http" and scope["method"] in ("POST", "PUT", "PATCH", "DELETE"):
            return _cross_site(headers) or self._wrong_body(scope, headers, access)
        return None

    def _wrong_body(
        self, scope: Scope, headers: Headers, access: Access
    ) -> tuple[HTTPStatus, Problem] | None:
        types = _JSON
        if self._uploads is not None and self._uploads.match(scope):
            types = self._uploads.types
            access.upload_idle_s = self._uploads.idle_s if access.granted else None
        return _wrong_body(headers, types, self._largest(scope))

    def _is_allowed_host(self, host: str, scope: Scope) -> bool:
        """Whether ``Host`` is in the allowlist, or is the address that the client connected to."""
        here = (scope.get("server") or ("",))[0]
        return host in self._hosts or same_ip(host, here)

    def _is_authorized(self, scope: Scope, headers: Headers, access: Access) -> bool:
        """Whether the token is right or not needed, or may still come in a first message."""
        if self._token is None:
            access.granted = True
            return True
        sent = _sent_token(scope, headers)
        if sent is not None:
            access.granted = same_token(sent, self._token)
            return access.granted or scope["path"] in self._public
        if self._passes is not None and self._passes.allow(scope, headers):
            access.granted = True
            return True
        return scope["type"] == "websocket" or scope["path"] in self._public


def problem_response(status: int, problem: Problem) -> Response:
    """A problem as the response to a request or to a WebSocket's handshake."""
    answer = error_response(VoicegraphError(problem))
    headers = dict(_HEADERS)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = answer.model_dump_json()
    return Response(body, int(status), headers=headers, media_type="application/json")


def same_token(sent: str, token: str) -> bool:
    """Compares in constant time, against timing attacks."""
    return hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), token.encode())


def _sent_token(scope: Scope, headers: Headers) -> str | None:
    """The token in the header, or of a WebSocket in the query: browsers cannot set its headers."""
    given = headers.get("authorization")
    if given is not None:
        scheme, _, token = given.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    if scope["type"] == "websocket":
        return QueryParams(scope["query_string"]).get("token")
    return None


def _limited(receive: Receive, largest: int) -> Receive:
    """Limits the size of a body that is received in chunks."""
    count = 0

    async def receiving() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > largest:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(largest))
        return message

    return receiving


def _cross_site(headers: Headers) -> tuple[HTTPStatus, Problem] | None:
    """Browsers say from where a page calls; programs leave the header out."""
    site = headers.get("sec-fetch-site", "same-origin")
    if site in ("same-origin", "none"):
        return None
    return HTTPStatus.FORBIDDEN, Problem("wrong-origin", f"{site} requests are not allowed")


def _wrong_body(
    headers: Headers, types: frozenset[str], largest: int
) -> tuple[HTTPStatus, Problem] | None:
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    if empty and "content-type" not in headers:
        return None
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in types:
        expected = " or ".join(sorted(types))
        text = f"expected a body of the content type {expected}, found {kind or 'none'}"
        fix = 'with curl: -H "Content-Type: application/json"' if types is _JSON else _CURL_FILE
        code = "no-json" if types is _JSON else "no-files"
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, Problem(code, text, fix=fix)
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > largest:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Problem("too-large", _too_large(largest))
    return None


def _too_large(largest: int) -> str:
    return f"the body is larger than {largest} bytes"


def _unauthorized() -> tuple[HTTPStatus, Problem]:
    fix = "with curl: -H 'Authorization: Bearer TOKEN'"
    problem = Problem("wrong-token", "the session's token is missing or wrong", fix=fix)
    return HTTPStatus.UNAUTHORIZED, problem
