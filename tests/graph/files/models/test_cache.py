"""Weights once a process."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path

import pytest
from torch import nn

from voicegraph.graph.files.models import WeightsError, shared, shared_file


def test_value_is_made_once_while_held() -> None:
    made: list[int] = []

    def make() -> nn.Module:
        made.append(1)
        return nn.Linear(1, 1)

    first = shared(("a", 1), make)
    assert shared(("a", 1), make) is first
    assert shared(("a", 2), make) is not first
    assert len(made) == 2
    del first
    gc.collect()
    again = shared(("a", 1), make)
    assert len(made) == 3
    assert shared(("a", 1), make) is again


def test_threads_wait_for_the_first() -> None:
    made: list[int] = []
    found: list[nn.Module] = []
    begin = threading.Barrier(8)

    def make() -> nn.Module:
        made.append(1)
        time.sleep(0.05)
        return nn.Linear(1, 1)

    def work() -> None:
        begin.wait()
        found.append(shared("threads", make))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len({id(module) for module in found}) == 1


def test_other_keys_do_not_wait() -> None:
    """A network that is made of two shared parts, and one whose making waits for another's."""
    inner = threading.Event()
    outer: list[nn.Module] = []

    def slow() -> nn.Module:
        assert inner.wait(10)
        return nn.Linear(1, 1)

    thread = threading.Thread(target=lambda: outer.append(shared("slow", slow)))
    thread.start()
    whole = shared("whole", lambda: nn.Sequential(shared("part", lambda: nn.Linear(1, 1))))
    inner.set()
    thread.join()
    assert isinstance(whole, nn.Sequential)
    assert len(outer) == 1


def test_failed_load_is_retried() -> None:
    def fails() -> nn.Module:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        shared("fails", fails)
    assert isinstance(shared("fails", lambda: nn.Linear(1, 1)), nn.Linear)


def test_value_without_weak_references_is_an_error() -> None:
    with pytest.raises(TypeError, match="a dict has no weak references"):
        shared("dict", dict)


def test_replaced_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a.pth"
    file.write_bytes(b"one")
    first = shared_file("test.node", file, lambda: nn.Linear(1, 1))
    assert shared_file("test.node", file, lambda: nn.Linear(1, 1)) is first
    assert shared_file("test.node", file, lambda: nn.Linear(1, 1), "float16") is not first
    file.write_bytes(b"other")
    assert shared_file("test.node", file, lambda: nn.Linear(1, 1)) is not first


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"gone\.pth: there is no such file"):
        shared_file("test.node", tmp_path / "gone.pth", lambda: nn.Linear(1, 1))


def test_inaccessible_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match=r"cannot be read|there is no such file"):
        shared_file("test.node", tmp_path / "file" / "a.pth", lambda: nn.Linear(1, 1))
