"""Sessions set the thread count while they are open, and restore it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from voicegraph.graph.errors import NodeFailedError
from voicegraph.graph.pipeline import Pipeline, node

Build = Callable[..., Pipeline]


@pytest.fixture(autouse=True)
def two() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def _open(build: Build, threads: int | None):
    return build({"a": node("test.shift", "input")}, threads=threads).session(warm_up=False)


def test_session_sets_and_restores_thread_count(build: Build) -> None:
    with _open(build, 1):
        assert torch.get_num_threads() == 1


def test_thread_count_is_kept_by_default(build: Build) -> None:
    with _open(build, None):
        assert torch.get_num_threads() == 2


def test_the_newest_open_session_decides(build: Build) -> None:
    one, three = _open(build, 1), _open(build, 3)
    assert torch.get_num_threads() == 3
    one.close()
    one.close()
    assert torch.get_num_threads() == 3
    one = _open(build, 1)
    assert torch.get_num_threads() == 1
    one.close()
    assert torch.get_num_threads() == 3
    three.close()


def test_collected_session_restores_thread_count(build: Build) -> None:
    session = _open(build, 1)
    assert torch.get_num_threads() == 1
    del session
    gc.collect()
    assert torch.get_num_threads() == 2


def test_failed_session_restores_thread_count(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = build({"a": node("test.shift", "input")}, threads=1).compile()

    def load(params: Any, device: torch.device, dtype: torch.dtype) -> None:
        raise RuntimeError("no weights today")

    monkeypatch.setattr(plan.find("a").node, "load", load)
    with pytest.raises(NodeFailedError, match="while loading: RuntimeError: no weights today"):
        plan.session()
