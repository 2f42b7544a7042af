"""Routes of stored things against their OpenAPI description: what it allows and what it forbids."""

from __future__ import annotations

from pathlib import Path

import pytest
import schemathesis

from voicegraph.app.control.addresses import Address
from voicegraph.app.http.access_control import AccessControl, Uploads
from voicegraph.app.page_server.routes.all_routes import UPLOADS
from voicegraph.app.page_server.server import build_app
from voicegraph.app.page_server.services.presets import Presets
from voicegraph.schemas.app import Preset
from voicegraph.schemas.control import ControlLimits

from ..schema_findings import findings, fuzz_config
from .stored import (
    FakeCommands,
    store_job,
    store_preset,
    store_run,
    store_take,
    stored_services,
)
from .test_openapi import OF_SESSIONS


def _findings(folders: Path, examples: int) -> tuple[list[str], int]:
    """What schemathesis finds with all its checks, and how many requests it has sent."""
    services = stored_services(folders, FakeCommands(), upload_bytes=1 << 16)
    store_take(services.data)
    store_preset(services.data)
    store_run(folders / "results")
    store_job(services, services.data / "jobs" / ".upload-test")
    limits = ControlLimits(refusals=100_000)
    app = AccessControl(
        build_app(services, None, limits),
        Address("--port", "localhost", "127.0.0.1", 80),
        None,
        frozenset(),
        lambda _: None,
        limits,
        uploads=Uploads(UPLOADS, 1 << 16, 30),
    )
    headers = {"Host": "localhost"}
    schema = schemathesis.openapi.from_asgi(
        "/openapi.json", app, config=fuzz_config(examples, headers), headers=headers
    )
    return findings(schema.exclude(path_regex=OF_SESSIONS))


def test_answers_are_as_documented(folders: Path) -> None:
    found, sent = _findings(folders, examples=4)
    assert (found, sent > 150) == ([], True)


def test_an_answer_that_is_not_documented_is_found(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Presets, "list", lambda _: [Preset.model_construct(name=3)])
    found, _ = _findings(folders, examples=1)
    assert found


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_answers_are_as_documented(folders: Path) -> None:
    found, sent = _findings(folders, examples=100)
    assert (found, sent > 3000) == ([], True)
