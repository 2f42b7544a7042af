"""One task in a worker: every way to go wrong becomes a failure with its reason."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from voicegraph.experiments.engines import execute as execute_module
from voicegraph.experiments.engines.engine import Limits
from voicegraph.experiments.engines.execute import (
    THREAD_SETTINGS,
    execute,
    execute_into,
    failure_of,
    out_of_memory,
    thread_settings,
    worker_limits,
)
from voicegraph.experiments.store import Store
from voicegraph.experiments.task import Kind, Task
from voicegraph.graph import registry
from voicegraph.graph.errors import InputError, NodeFailedError, Problem

from ._works import Add, NodeFails, Raise, Sound, key_of, task


def test_a_result_is_stored_with_what_is_known_of_it(store: Store) -> None:
    outcome = execute_into(task("a", Add(3), kind=Kind.CONVERT), store)
    assert (outcome.key, outcome.failure, outcome.process) == (key_of("a"), None, os.getpid())
    record = store.record(outcome.key)
    assert (record.kind, record.label, record.size) == ("convert", "a", outcome.size)
    assert record.seconds == outcome.seconds >= 0
    b = execute_into(task("b", Add(4, (key_of("a"),))), store)
    assert b.failure is None
    assert store.read(b.key).arrays["x"] == [7]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ValueError("no\nmore"), "task-failed", "ValueError: no (_works.py, line 51)"),
        (KeyError(), "task-failed", "KeyError (_works.py, line 51)"),
        (SystemExit(3), "task-failed", "SystemExit: 3 (_works.py, line 51)"),
        (InputError(Problem("empty", "it is empty", fix="more")), "empty", "it is empty"),
        (MemoryError(), "out-of-memory", "there is no memory for it: MemoryError"),
        (
            MemoryError("std::bad_array_new_length"),
            "task-failed",
            "MemoryError: std::bad_array_new_length (_works.py, line 51)",
        ),
    ],
    ids=["value", "key", "exit", "input", "memory", "length"],
)
def test_exceptions_become_failures(
    store: Store, error: BaseException, code: str, message: str
) -> None:
    outcome, result = execute(task("a", Raise(error)), store)
    assert result is None
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.failure.message) == (code, message)


def test_a_failed_node_is_named(store: Store) -> None:
    failure = execute(task("a", NodeFails()), store)[0].failure
    assert failure is not None
    assert (failure.code, failure.node) == ("not-finite", "f0")


def test_a_node_that_found_no_memory_is_named() -> None:
    error = NodeFailedError(Problem("node-failed", "bad raised RuntimeError"), "bad")
    error.__cause__ = RuntimeError("alloc_cpu.cpp:121: DefaultCPUAllocator: can't allocate memory")
    failure = failure_of(error)
    assert (failure.code, failure.node) == ("out-of-memory", "bad")


def test_ctrl_c_is_not_the_tasks_failure(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        execute(task("a", Raise(KeyboardInterrupt())), store)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_sound_that_is_not_finite_is_refused(store: Store, value: float) -> None:
    failure = execute_into(task("a", Sound(value)), store).failure
    assert failure is not None
    assert failure.message == "the sound has NaN or infinity at second 0.250"
    assert not store.has(key_of("a"))
    assert execute_into(task("a", Sound(value), kind=Kind.OBSERVE), store).failure is None


def test_a_result_that_cannot_be_stored_is_a_failure(store: Store) -> None:
    failure = execute_into(task("a", Sound(), kind=Kind.OBSERVE), store).failure
    assert failure is None
    text = np.array(["no", "numbers"])

    class Text:
        def run(self, needs: object) -> object:
            from voicegraph.experiments.task import Result

            return Result({"x": text})

    failure = execute_into(task("b", Text()), store).failure
    assert failure is not None
    assert failure.code == "task-failed"
    assert "dtype" in failure.message


def test_a_full_disk_has_its_code(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    failure = execute_into(task("a", Add(1)), store).failure
    assert failure is not None
    assert failure.code == "disk-full"


# ---- files of nodes and plug-ins

NODE = """\
from pathlib import Path
from voicegraph.graph import Node, register
log = Path(__file__).with_suffix(".log")
log.write_text(log.read_text() + "x" if log.exists() else "x")
"""


@pytest.fixture
def nodes_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(execute_module, "_loaded", {})
    path = tmp_path / "mine.py"
    path.write_text(NODE)
    with registry.isolated():
        yield path


def _with_file(path: Path, digest: str | None = None) -> Task:
    digest = digest or sha256(path.read_bytes()).hexdigest()
    return task("a", Add(1), nodes_files=((str(path), digest),))


def test_files_are_loaded_once_in_a_worker(store: Store, nodes_file: Path) -> None:
    for _ in range(3):
        assert execute(_with_file(nodes_file), store)[0].failure is None
    assert nodes_file.with_suffix(".log").read_text() == "x"


def test_files_that_the_driver_has_loaded_are_not_loaded_again(
    store: Store, nodes_file: Path
) -> None:
    registry.load_file(nodes_file)
    assert execute(_with_file(nodes_file), store)[0].failure is None
    assert nodes_file.with_suffix(".log").read_text() == "x"


def test_a_file_that_was_changed_or_removed_is_named(store: Store, nodes_file: Path) -> None:
    one = _with_file(nodes_file)
    nodes_file.write_text(NODE + "# more")
    failure = execute(one, store)[0].failure
    assert failure is not None
    assert failure.code == "file-changed"
    assert str(nodes_file) in failure.message
    nodes_file.unlink()
    failure = execute(one, store)[0].failure
    assert failure is not None
    assert failure.code == "file-changed"


def test_a_file_that_fails_is_named(store: Store, nodes_file: Path) -> None:
    nodes_file.write_text("1 / 0")
    failure = execute(_with_file(nodes_file), store)[0].failure
    assert failure is not None
    assert "ZeroDivisionError" in failure.message


# ---- limits


def test_thread_settings_are_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREAD_SETTINGS[0], "7")
    monkeypatch.delenv(THREAD_SETTINGS[-1], raising=False)
    with thread_settings(2):
        assert {os.environ[name] for name in THREAD_SETTINGS} == {"2"}
    assert os.environ[THREAD_SETTINGS[0]] == "7"
    assert THREAD_SETTINGS[-1] not in os.environ


def test_without_a_limit_the_machine_is_kept_alive() -> None:
    assert worker_limits(Limits(task_memory=5), 2).task_memory == 5
    four, two = (worker_limits(Limits(), workers).task_memory for workers in (4, 2))
    assert four is not None
    assert two is not None
    assert two == pytest.approx(2 * four, abs=1)


def test_the_memory_limit_names_how_to_raise_it() -> None:
    failure = out_of_memory(Limits(task_memory=2_000_000_000))
    assert failure.message == "it took more memory than a task may, 2.0 GB"
    assert failure.fix == "--set resources.task_memory=4GB --retry-failed"
