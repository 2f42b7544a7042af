"""The engine on real Ray clusters: on this machine, and on two machines that fail."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from voicegraph.experiments.engines.run_tasks import run_tasks
from voicegraph.experiments.engines.serial import Serial
from voicegraph.experiments.store import Store

pytest.importorskip("ray", reason="needs ray: pip install 'voicegraph[cluster]'")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MODULES = Path(__file__).parent / "on_cluster"
_TOOL: dict[str, Any] = runpy.run_path(
    str(Path(__file__).resolve().parents[3] / "tools" / "two_machines.py")
)
OTHER: str = _TOOL["OTHER"]
NUMBER = 40
LATEST_S = 240.0
"""A run that has lost a machine ends within this time. Ray by itself has hung for ever."""


@pytest.fixture
def serial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The results that one process gives, by key."""
    monkeypatch.syspath_prepend(str(MODULES))
    cluster_works = import_module("cluster_works")
    store = Store(tmp_path / "serial")
    tasks = cluster_works.tasks(tmp_path / "clips", NUMBER, 0.0)
    assert all(outcome.failure is None for outcome in run_tasks(tasks, store, Serial()))
    return results(store)


def results(store: Store) -> dict[str, bytes]:
    return {key: store.read_bytes(key) for key in list(store.keys())}


class Driver:
    """A run on a cluster, in a process of its own."""

    def __init__(self, folder: Path, address: str, before: Sequence[str] = (), **env: str) -> None:
        self.store, self.journal = folder / "store", folder / "journal.jsonl"
        self.store.mkdir(exist_ok=True)
        paths = [str(folder / "clips"), str(self.store), str(self.journal)]
        path = os.pathsep.join([str(MODULES), os.environ.get("PYTHONPATH", "")])
        program = [sys.executable, str(MODULES / "cluster_run.py")]
        self._process = subprocess.Popen(
            [*before, *program, address, *paths, str(NUMBER), "0.4"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, **env},
            start_new_session=True,
        )

    def wait_for(self, done: int, where: str = "") -> None:
        """Until so many tasks are done on a machine."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            done -= line.startswith("done ") and where in line
            if not done:
                return
        raise AssertionError(f"it ended before, with {self._process.wait()}")

    def end(self, timeout_s: float = LATEST_S) -> int:
        """Its exit code."""
        self._process.communicate(timeout=timeout_s)
        return self._process.returncode

    def close(self) -> None:
        """Ends it if it runs."""
        self._process.kill()
        self._process.communicate()

    def kill(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self._process.send_signal(number)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of the journal."""
        lines = map(json.loads, self.journal.read_text(encoding="utf-8").splitlines())
        return [line for line in lines if line["event"] == name]


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Starts drivers, and ends them."""
    with ExitStack() as drivers:

        def start(*args: Any, **env: str) -> Driver:
            driver = Driver(tmp_path, *args, **env)
            drivers.callback(driver.close)
            return driver

        yield start


def test_a_cluster_of_our_own_gives_the_same_bits(
    drive: Callable[..., Driver], serial: dict[str, bytes]
) -> None:
    driver = drive("local")
    assert driver.end() == 0
    assert results(Store(driver.store)) == serial


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_a_driver_that_ends_leaves_no_process(
    tmp_path: Path, drive: Callable[..., Driver], number: signal.Signals
) -> None:
    driver = drive("local", VG_TEST_MARK=str(tmp_path))
    driver.wait_for(2)
    assert processes_with(str(tmp_path))
    driver.kill(number)
    driver.end()
    until = monotonic() + 120.0  # Ray's agents notice after up to a minute that their node is gone
    while (left := processes_with(str(tmp_path))) and monotonic() < until:
        sleep(0.2)
    assert left == []


def processes_with(text: str) -> list[str]:
    """Processes whose environment has a text."""
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"VG_TEST_MARK={text}".encode() in path.read_bytes():
                found.append((path.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has ended
            continue
    return found


@pytest.fixture
def two_machines(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    if reason := _TOOL["why_not"]():
        pytest.skip(reason)
    hidden = [tmp_path / "clips", tmp_path / "store"]
    for folder in hidden:
        folder.mkdir(exist_ok=True)
    with _TOOL["TwoMachines"](tmp_path, hidden, [MODULES], quick=request.param) as made:
        yield made


@pytest.mark.parametrize("two_machines", [True], ids=["quick-checks"], indirect=True)
def test_a_machine_is_killed(
    two_machines: Any, drive: Callable[..., Driver], serial: dict[str, bytes]
) -> None:
    driver = drive(two_machines.address, two_machines.command(), **two_machines.token)
    driver.wait_for(3, OTHER)
    two_machines.kill("b")
    assert driver.end() == 0
    assert results(Store(driver.store)) == serial
    assert any(OTHER in line["host"] for line in driver.events("lost"))
    joined = [line for line in driver.events("note") if OTHER in line["host"]]
    assert "gets files and results by content" in joined[0]["message"]


@pytest.mark.parametrize("two_machines", [False], ids=["default-checks"], indirect=True)
def test_the_cable_is_pulled(
    two_machines: Any, drive: Callable[..., Driver], serial: dict[str, bytes]
) -> None:
    driver = drive(two_machines.address, two_machines.command(), **two_machines.token)
    driver.wait_for(3, OTHER)
    two_machines.pull_cable()
    assert driver.end() == 0
    assert results(Store(driver.store)) == serial
