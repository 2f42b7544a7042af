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


def _threads() -> set[str]:
    return {path.name for path in Path("/proc/self/task").iterdir()}


def _compute_in_parallel() -> None:
    torch.ones(1_000_000).exp_()


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    end_idle_threads()
    yield
    torch.set_num_threads(before)


def _pool() -> set[str]:
    """The threads that a computation starts."""
    before = _threads()
    _compute_in_parallel()
    started = _threads() - before
    if not started:
        pytest.skip("this PyTorch shares one pool among all threads")
    return started


def test_pool_ends_and_starts_anew() -> None:
    pool = _pool()
    end_idle_threads()
    assert not pool & _threads()
    assert _pool()


def test_pool_of_another_thread_stays() -> None:
    pool = _pool()
    thread = threading.Thread(target=end_idle_threads)
    thread.start()
    thread.join()
    assert pool <= _threads()


def test_session_is_set_up_without_a_pool_left(build: Callable[..., Pipeline]) -> None:
    plan = build({"a": node("test.shift", "input")}).compile()
    pool = _pool()
    plan.session(workers=False).close()
    assert not pool & _threads()
