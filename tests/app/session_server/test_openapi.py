"""The OpenAPI document: complete, what generated clients need, and true of every answer."""

from __future__ import annotations

import pytest
import schemathesis
from fastapi import FastAPI

from voicegraph.app.control.addresses import Address
from voicegraph.app.control.service import Service
from voicegraph.app.control.token_bucket import TokenBucket
from voicegraph.app.http.access_control import AccessControl
from voicegraph.app.session_server._routes import PUBLIC
from voicegraph.app.session_server.server import build_app
from voicegraph.schemas.control import (
    Answer,
    ControlLimits,
    SpectrumMessage,
    StatusMessage,
    TokenMessage,
)
from voicegraph.schemas.live_command import LiveCommand, Stop
from voicegraph.schemas.live_status import LiveParam, LiveStatus

from ..client import TOKEN, Client
from ..fake_live import FakeLive
from ..schema_findings import findings, fuzz_config


class Endless(FakeLive):
    """A session that a fuzzer cannot end, and whose swaps take no time."""

    def __init__(self) -> None:
        super().__init__()
        self.gate.set()

    def command(self, command: LiveCommand) -> None:
        self.done.clear()
        if not isinstance(command, Stop):
            super().command(command)


def _service() -> Service:
    return Service(Endless())


def _inner_app(token: str | None) -> FastAPI:
    limits = ControlLimits()
    return build_app(_service(), token, limits, TokenBucket(limits.commands))


def _app(token: str | None = None) -> AccessControl:
    address = Address("--http", "localhost", "127.0.0.1", 80)
    app = _inner_app(token)
    return AccessControl(
        app, address, token, PUBLIC, lambda _: None, ControlLimits(refusals=100_000)
    )


def _findings(examples: int, token: str | None = None) -> tuple[list[str], int]:
    """What schemathesis finds with all its checks, and how many requests it has sent."""
    headers = {"Host": "localhost"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    config = fuzz_config(examples, headers)
    return findings(
        schemathesis.openapi.from_asgi("/openapi.json", _app(token), config=config, headers=headers)
    )


def test_answers_are_as_documented() -> None:
    found, sent = _findings(examples=8)
    assert (found, sent > 150) == ([], True)


def test_answers_with_a_token_are_as_documented() -> None:
    found, sent = _findings(examples=1, token=TOKEN)
    assert (found, sent > 100) == ([], True)


def test_an_answer_that_is_not_documented_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endless, "status", lambda _: LiveParam(name="no.status", value=0))
    found, _ = _findings(examples=1)
    assert any("GET /status" in text or "required property" in text for text in found), found


@pytest.mark.slow
def test_many_answers_are_as_documented() -> None:
    found, sent = _findings(examples=500, token=TOKEN)
    assert (found, sent > 5000) == ([], True)


def test_operation_ids_are_names_for_functions(idle: Client) -> None:
    paths = idle.get("/openapi.json").json["paths"]
    assert {(path, method): operation["operationId"]
            for path, operations in paths.items() for method, operation in operations.items()} == {
        ("/status", "get"): "get_status",
        ("/pipeline", "get"): "get_pipeline",
        ("/messages", "get"): "list_messages",
        ("/profiles", "get"): "list_profiles",
        ("/params", "get"): "list_params",
        ("/params/{name}", "get"): "get_param",
        ("/params/{name}", "put"): "set_param",
        ("/command", "post"): "run_command",
        ("/toggle/{switch}", "post"): "toggle_switch",
    }  # fmt: skip


def test_models_are_those_that_validate(idle: Client) -> None:
    document = idle.get("/openapi.json").json
    models = document["components"]["schemas"]
    commands = {
        "SetParam",
        "Bypass",
        "Swap",
        "ChooseProfile",
        "ChooseVariant",
        "Mute",
        "Talk",
        "Monitor",
        "Stop",
    }
    assert {"LiveStatus", "LiveParam", "Answer", *commands} <= models.keys()
    assert models["LiveStatus"]["properties"].keys() == LiveStatus.model_fields.keys()
    assert all("do" in models[name]["required"] for name in commands)
    body = document["paths"]["/command"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"]["discriminator"]["propertyName"] == "do"


def test_websocket_is_described_outside_the_paths(idle: Client) -> None:
    """As a path it would be a function of generated clients that cannot work."""
    document = idle.get("/openapi.json").json
    socket = document["x-websockets"]["/ws"]
    named = [found["$ref"] for way in ("receives", "sends") for found in socket[way]["oneOf"]]
    models = {name.rpartition("/")[2] for name in named}
    sent = {model.__name__ for model in (StatusMessage, SpectrumMessage, Answer)}
    wanted = {"LiveCommand", TokenMessage.__name__, *sent}
    assert models == wanted
    assert models <= document["components"]["schemas"].keys()


def test_token_is_described_where_one_is_needed() -> None:
    open_app, locked_app = _inner_app(None), _inner_app(TOKEN)
    assert open_app.openapi()["security"] == []
    assert locked_app.openapi()["security"] == [{"token": []}]
    assert locked_app.openapi()["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
