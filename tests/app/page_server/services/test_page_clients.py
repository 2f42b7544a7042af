"""Pages that follow a session: each at its own rate, and many share a bounded one."""

from __future__ import annotations

import asyncio

import pytest

from voicegraph.app.page_server.services import page_clients
from voicegraph.app.page_server.services.load_shedding import LoadShedding
from voicegraph.app.page_server.services.page_clients import PageClient, PageClients

MESSAGES = 100
"""Statuses and spectra in five seconds of the clock that the tests move: twenty a second."""


@pytest.mark.parametrize(
    ("pages", "headroom", "each"),
    [
        pytest.param(1, None, MESSAGES, id="one"),
        pytest.param(16, None, MESSAGES, id="sixteen"),
        pytest.param(64, None, MESSAGES // 4, id="many"),
        pytest.param(2, -0.5, MESSAGES, id="two-beside-a-late-session"),
        pytest.param(16, -0.5, MESSAGES // 8, id="sixteen-beside-a-late-session"),
    ],
)
def test_many_pages_share_a_bounded_rate(
    pages: int, headroom: float | None, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [PageClient(rate=20, spectrum=True) for _ in range(pages)]
    statuses, spectra = _followed(clients, monkeypatch, headroom)
    for counts in (statuses, spectra):
        assert all(abs(count - each) <= each // 10 for count in counts), counts


def test_a_page_gets_its_own_rate_and_no_spectrum_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, plain = PageClient(rate=5, spectrum=True), PageClient(rate=20, spectrum=False)
    statuses, spectra = _followed([slow, plain], monkeypatch)
    assert statuses == [MESSAGES // 4, MESSAGES]
    assert spectra == [MESSAGES, 0]


def test_the_last_status_comes_at_once() -> None:
    pages, client = PageClients(LoadShedding()), PageClient(rate=1, spectrum=False)
    pages.add(client)
    for text, last in (("first", False), ("early", False), ("last", True)):
        pages.send_status(text, last=last)
    assert asyncio.run(client.next()) == "last"


def _followed(
    clients: list[PageClient], monkeypatch: pytest.MonkeyPatch, headroom: float | None = None
) -> tuple[list[int], list[int]]:
    """Statuses and spectra that each client got beside a session with this headroom."""
    now = 100.0
    monkeypatch.setattr(page_clients, "monotonic", lambda: now)
    shedding = LoadShedding()
    shedding.follow(headroom)
    pages = PageClients(shedding)
    for client in clients:
        pages.add(client)
    got: list[list[str]] = [[] for _ in clients]

    async def follow() -> None:
        nonlocal now
        for _ in range(MESSAGES):
            pages.send_status("status", last=False)
            pages.send_spectrum("spectrum")
            for client, texts in zip(clients, got, strict=True):
                while client.waits:
                    texts.append(await client.next())
            now += 0.05

    asyncio.run(follow())
    return [t.count("status") for t in got], [t.count("spectrum") for t in got]
