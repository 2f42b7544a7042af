"""Passes: a browser that has sent the token may open one file in a tab, a player or a download.

None of these can send a token, and one in their address would stand in the history. A pass is a
cookie instead, for one path, for an hour, and for ``GET`` only: signed by this server, so that
nothing is kept; ``HttpOnly``, so that no script reads it; ``SameSite=Strict``, so that a page of
another site cannot use it. Cookies do not tell ports apart: a server on another port of the same
host name could see it, if the browser asked it for the same path.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import Scope

PASS_S = 3600
"""Seconds that a pass is valid."""
_COOKIE = "voicegraph-pass"
_SAFE = "/!'()*~"
"""Beside letters, digits and ``-._``, what ``encodeURIComponent`` leaves as it is; and slashes."""
_VALUE = re.compile(r"(\d{1,12})-([0-9a-f]{64})", re.ASCII)


class MediaPasses:
    """Issues passes, and recognises them until the server ends.

    Args:
        paths: matches the paths, as a whole, for which there are passes.
    """

    def __init__(self, paths: re.Pattern[str]) -> None:
        self._paths = paths
        self._key = secrets.token_bytes(32)

    def cookie(self, path: str) -> str | None:
        """The header ``Set-Cookie`` with a pass; None if there is none for that path.

        Args:
            path: without percent encoding.
        """
        if self._paths.fullmatch(path) is None:
            return None
        ends = int(time.time()) + PASS_S
        place = quote(path, safe=_SAFE)
        return (
            f"{_COOKIE}={ends}-{self._signature(path, ends)}; Path={place}; Max-Age={PASS_S}; "
            "HttpOnly; SameSite=Strict"
        )

    def allow(self, scope: Scope, headers: Headers) -> bool:
        """Whether a request has a valid pass for its path."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return False
        path = scope["path"]
        if self._paths.fullmatch(path) is None:
            return False
        sent = ";".join(headers.getlist("cookie")).split(";")
        pairs = (each.strip().partition("=") for each in sent)
        return any(name == _COOKIE and self._is_valid(value, path) for name, _, value in pairs)

    def _is_valid(self, value: str, path: str) -> bool:
        found = _VALUE.fullmatch(value)
        if found is None or int(found[1]) < time.time():
            return False
        return hmac.compare_digest(found[2], self._signature(path, int(found[1])))

    def _signature(self, path: str, ends: int) -> str:
        text = f"{ends}\n{path}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
