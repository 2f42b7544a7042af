"""Tasks of training in the pool of experiments."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from voicegraph.experiments.store import DiskFullError, Store
from voicegraph.experiments.task import Kind, Result, Results, Task
from voicegraph.graph.errors import Problem
from voicegraph.training.common.task_pool import compute


@dataclass(frozen=True)
class Work:
    """Counts how often it runs."""

    begun: list[str]
    name: str
    act: Callable[[], object]

    def run(self, needs: Results) -> Result:
        self.begun.append(self.name)
        self.act()
        return Result({"x": np.zeros(1)})

    def files(self) -> Mapping[Path, str]:
        return {}

    def with_files(self, moved: Mapping[Path, Path]) -> Work:
        return self


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def begun() -> list[str]:
    return []


def _tasks(begun: list[str], acts: Mapping[str, Callable[[], object]]) -> list[Task]:
    return [
        Task(f"{number:08}", Kind.INPUT, Work(begun, name, act), group=name, label=name)
        for number, (name, act) in enumerate(acts.items())
    ]


def _fail() -> None:
    raise ValueError("no")


def test_what_was_computed_or_failed_is_not_tried_again(
    store: Store, begun: list[str], tmp_path: Path
) -> None:
    tasks = _tasks(begun, {"a": list, "b": _fail, "c": list})
    journal = tmp_path / "journal.jsonl"
    first = compute("test", tasks, store, 1, journal=journal)
    assert begun == ["a", "b", "c"]
    assert [(key, why.code) for key, why in first.items()] == [(tasks[1].key, "task-failed")]
    again = compute("test", tasks, store, 1, journal=journal)
    assert begun == ["a", "b", "c"]
    assert {key: why.message for key, why in again.items()} == {
        key: why.message for key, why in first.items()
    }
    journal.unlink()
    compute("test", tasks, store, 1, journal=journal)
    assert begun == ["a", "b", "c", "b"]


def test_ctrl_c_finishes_what_runs_and_the_same_call_goes_on(
    store: Store, begun: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = _tasks(begun, {"a": lambda: signal.raise_signal(signal.SIGINT), "b": list})
    with pytest.raises(KeyboardInterrupt):
        compute("test", tasks, store, 1)
    assert "stopping: what runs is finished" in capsys.readouterr().err
    assert begun == ["a"]
    assert compute("test", tasks, store, 1) == {}
    assert begun == ["a", "b"]


def test_full_disk_names_what_to_type(
    store: Store, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DiskFullError(Problem("disk-full", "there is no room"))

    monkeypatch.setattr(Store, "write_bytes", full)
    with pytest.raises(DiskFullError, match="2 results are missing") as caught:
        compute("test", _tasks(begun, {"a": list, "b": list}), store, 1)
    assert caught.value.problems[0].fix == "make room; then the same command goes on"


def test_what_fails_alike_is_given_up_unless_it_is_to_go_on(
    store: Store, begun: list[str], tmp_path: Path
) -> None:
    tasks = [Task(f"{n:08}", Kind.INPUT, Work(begun, str(n), _fail), group="g") for n in range(9)]
    given_up = compute("test", tasks, store, 1, journal=tmp_path / "a")
    assert len(given_up) == 9
    assert len(begun) < 9
    begun.clear()
    compute("test", tasks, store, 1, journal=tmp_path / "b", keep_going=True)
    assert len(begun) == 9
