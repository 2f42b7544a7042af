"""One Chromium and one fake page server for all tests of the page; each test begins anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ....chromium import Page, chromium
from .fake_app import FakeApp, fake_app
from .fake_state import FakeState
from .plan_graph import world_graph


@pytest.fixture(scope="package")
def _browser() -> Iterator[Page]:
    with chromium(loopback=True) as page:
        yield page


@pytest.fixture(scope="package")
def _served() -> Iterator[FakeApp]:
    with fake_app(world_graph()) as app:
        yield app


@pytest.fixture
def fake(_served: FakeApp) -> FakeApp:
    """The fake page server, without a session."""
    _served.state = FakeState()
    return _served


@pytest.fixture
def page(_browser: Page, fake: FakeApp) -> Iterator[Page]:
    """A tab that has forgotten earlier choices, at no address yet; ends without an error."""
    _browser.open("about:blank")
    stored = {"origin": fake.url.rstrip("/"), "storageTypes": "local_storage"}
    _browser.call("Storage.clearDataForOrigin", **stored)
    _browser.errors.clear()
    _browser.look(1280)
    yield _browser
    assert _browser.errors == []
