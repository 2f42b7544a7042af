"""Fixtures: fake sessions served over HTTP, and their clients."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from voicegraph.app.control.options import ControlOptions
from voicegraph.app.control_servers import Control

from .client import TOKEN, Client, Serve
from .fake_live import FakeLive


@pytest.fixture
def live() -> Iterator[FakeLive]:
    made = FakeLive()
    yield made
    made.gate.set()


@contextmanager
def serving(live: FakeLive) -> Iterator[Serve]:
    """Serves a session over HTTP; checks at the end that no thread is left."""
    before = set(threading.enumerate())
    opened: list[Control] = []

    def make(host: str = "127.0.0.1", **options: Any) -> Client:
        named = f"[{host}]:0" if ":" in host else f"{host}:0"
        control = Control(live, ControlOptions(http=named, **options))
        control.start()
        opened.append(control)
        assert control.http_url is not None
        return Client(host, int(control.http_url.rstrip("/").rpartition(":")[2]))

    yield make
    live.gate.set()
    for control in opened:
        control.close()
    assert set(threading.enumerate()) <= before


@pytest.fixture
def serve(live: FakeLive) -> Iterator[Serve]:
    with serving(live) as make:
        yield make


@pytest.fixture
def client(serve: Serve) -> Client:
    """Client of a session without a token."""
    return serve()


@pytest.fixture(scope="module")
def idle() -> Iterator[Client]:
    """As ``client``, shared by tests that change nothing."""
    with serving(FakeLive()) as make:
        yield make()


@pytest.fixture(scope="module")
def locked() -> Iterator[Client]:
    """Client of a session with a token, shared by tests that change nothing."""
    with serving(FakeLive()) as make:
        yield make(token=TOKEN)
