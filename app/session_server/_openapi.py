"""The OpenAPI document: what FastAPI derives from the routes, with the token and the WebSocket.

OpenAPI cannot describe a WebSocket: as a path it becomes a function in generated clients that
cannot work. It is described by the extension ``x-websockets``, and its messages by ``components``.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from voicegraph.schemas.control import Answer, SpectrumMessage, StatusMessage, TokenMessage

from ..control.service import FASTEST_HZ

_JSON = "application/json"
_REF = "#/components/schemas/{model}"
_TOKEN = {"type": "http", "scheme": "bearer", "description": "The token of the session."}
_SENT = (StatusMessage, Answer, SpectrumMessage)


class ControlApp(FastAPI):
    """The application, which describes itself at ``/openapi.json``.

    Args:
        secured: whether clients must send a token.
        options: the options of FastAPI.
    """

    def __init__(self, secured: bool, **options: Any) -> None:
        super().__init__(**options)
        self._secured = secured

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            made = super().openapi()
            components = made["components"]
            _, definitions = models_json_schema(
                [(model, "serialization") for model in (*_SENT, TokenMessage)], ref_template=_REF
            )
            command = made["paths"]["/command"]["post"]["requestBody"]["content"][_JSON]["schema"]
            components["schemas"] = {
                **definitions["$defs"], **components["schemas"], "LiveCommand": command,
            }  # fmt: skip
            components["securitySchemes"] = {"token": _TOKEN}
            made["security"] = [{"token": []}] if self._secured else []
            made["x-websockets"] = {"/ws": _websocket()}
        return self.openapi_schema or {}


def _websocket() -> dict[str, Any]:
    """What `/ws` takes and sends, in the words of OpenAPI."""
    rate = {"type": "number", "minimum": 1, "maximum": FASTEST_HZ, "default": 10}
    return {
        "description": (
            "Sends a status `rate` times a second, spectra with `spectrum=true`, and answers each "
            "command. If the session has "
            "a token, the client sends it in the header `Authorization`, in the query, or in the "
            "first message."
        ),
        "parameters": [
            {"name": "rate", "in": "query", "required": False, "schema": rate},
            {
                "name": "spectrum",
                "in": "query",
                "required": False,
                "schema": {"type": "boolean", "default": False},
            },
            {"name": "token", "in": "query", "required": False, "schema": {"type": "string"}},
        ],
        "receives": {"oneOf": [_ref("LiveCommand"), _ref("TokenMessage")]},
        "sends": {"oneOf": [_ref(model.__name__) for model in _SENT]},
    }


def _ref(model: str) -> dict[str, str]:
    return {"$ref": _REF.format(model=model)}
