"""A thread beside the engine runs Python code only while the engine is idle."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from voicegraph.graph.live import _yield_to_engine as module
from voicegraph.graph.live._yield_to_engine import not_yielding, yielding_to


@pytest.fixture
def counting() -> Iterator[Callable[..., list[int]]]:
    """Counts on a thread that yields to an event, until the test is over."""
    end, threads = threading.Event(), []

    def start(idle: threading.Event) -> list[int]:
        counted = [0]

        def step() -> None:
            counted[0] += 1

        def run() -> None:
            with yielding_to(idle):
                while not end.is_set():
                    step()

        threads.append(threading.Thread(target=run))
        threads[0].start()
        return counted

    yield start
    end.set()
    for thread in threads:
        thread.join()


def test_thread_waits_while_the_engine_computes(
    counting: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_S", 60.0)
    idle, nap = threading.Event(), threading.Event()
    counted = counting(idle)
    nap.wait(0.02)
    assert counted[0] <= 1
    idle.set()
    while counted[0] < 100:
        nap.wait(0.001)
    idle.clear()
    nap.wait(0.01)
    seen = counted[0]
    nap.wait(0.01)
    assert counted[0] == seen
    idle.set()


def test_engine_that_is_never_idle_does_not_stop_the_thread(
    counting: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_S", 0.001)
    counted, nap = counting(threading.Event()), threading.Event()
    while counted[0] < 100:
        nap.wait(0.001)


def test_only_the_inside_of_the_block_yields() -> None:
    before, idle = sys.getprofile(), threading.Event()
    idle.set()
    with suppress(ValueError), yielding_to(idle):
        assert sys.getprofile() is not before
        with not_yielding():
            assert sys.getprofile() is None
        assert sys.getprofile() is not None
        raise ValueError
    assert sys.getprofile() is before
