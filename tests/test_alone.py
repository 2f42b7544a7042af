"""A test that runs alone: no other one runs meanwhile, and it does not wait for ever."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from .alone import Turns


def _wait_for_both(beside: set[str]) -> None:
    for _ in range(2000):
        if beside == {"second", "third"}:
            return
        time.sleep(0.005)
    raise AssertionError(f"only {beside} ran")


def test_nothing_runs_beside_a_test_that_runs_alone(tmp_path: Path) -> None:
    first, second, third = (Turns(tmp_path, number, 3) for number in range(3))
    running: set[str] = set()
    beside: set[str] = set()
    ended = threading.Event()

    def run_tests(turns: Turns, name: str) -> None:
        while not ended.is_set():
            with turns.taken(alone=False):
                running.add(name)
                beside.update(running)
                time.sleep(0.002)
                running.remove(name)

    others = [
        threading.Thread(target=run_tests, args=(turns, name))
        for turns, name in ((second, "second"), (third, "third"))
    ]
    for thread in others:
        thread.start()
    try:
        for _ in range(3):
            with first.taken(alone=True):
                beside.clear()
                time.sleep(0.05)
                assert not running
                assert not beside
            _wait_for_both(beside)  # they do run in between
    finally:
        ended.set()
        for thread in others:
            thread.join()
