"""A session's set-up leaves no OpenMP threads behind."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime.openmp_pool import end_idle_threads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")


def _threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def _compute_in_parallel() -> None:
    torch.ones(1_000_000).exp_()


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    end_idle_threads()
    yield
    torch.set_num_threads(before)


def _before_and_after(run: Callable[[], None]) -> tuple[int, int, int]:
    """Threads without a pool, with one, and after ``run``."""
    alone = _threads()
    _compute_in_parallel()
    with_pool = _threads()
    run()
    return alone, with_pool, _threads()


def test_pool_ends_and_starts_anew() -> None:
    alone, with_pool, after = _before_and_after(end_idle_threads)
    if with_pool == alone:
        pytest.skip("this PyTorch shares one pool among all threads")
    assert after == alone
    _compute_in_parallel()
    assert _threads() == with_pool


def test_pool_of_another_thread_stays() -> None:
    def on_another_thread() -> None:
        thread = threading.Thread(target=end_idle_threads)
        thread.start()
        thread.join()

    _, with_pool, after = _before_and_after(on_another_thread)
    assert after == with_pool


def test_session_is_set_up_without_a_pool_left(build: Callable[..., Pipeline]) -> None:
    plan = build({"a": node("test.shift", "input")}).compile()

    def set_up() -> None:
        plan.session(workers=False).close()

    alone, _, after = _before_and_after(set_up)
    assert after == alone
