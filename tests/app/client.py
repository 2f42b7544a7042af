"""A client of the HTTP interface, on real sockets."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TOKEN = "correct-horse-battery"


@dataclass(frozen=True)
class Reply:
    """A response of the server."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of the only problem."""
        assert self.json["ok"] is False
        (problem,) = self.json["problems"]
        return problem["code"]


@dataclass(frozen=True)
class Client:
    """Sends requests to one server."""

    host: str
    port: int

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Reply:
        sent = {"Content-Type": "application/json"} if body is not None else {}
        text = body if isinstance(body, (str, bytes, type(None))) else json.dumps(body)
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        try:
            connection.request(method, path, text, {**sent, **(headers or {})})
            found = connection.getresponse()
            names = {name.lower(): value for name, value in found.getheaders()}
            return Reply(found.status, names, found.read().decode())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", path, None, headers)

    def post(self, path: str, body: object, **headers: str) -> Reply:
        return self.ask("POST", path, body, headers)

    @property
    def websocket(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}/ws"


Serve = Callable[..., Client]
