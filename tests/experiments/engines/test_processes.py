"""Processes: each fault fails its own task alone, and nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from voicegraph.experiments.engines import processes
from voicegraph.experiments.engines.engine import Limits
from voicegraph.experiments.engines.processes import Processes, signal_name
from voicegraph.experiments.engines.run_tasks import TaskRun
from voicegraph.experiments.store import Store
from voicegraph.experiments.task import Outcome, Task
from voicegraph.graph.errors import PipelineError

from ._works import (
    Add,
    Blocked,
    Eat,
    Hang,
    Kill,
    KillOnce,
    NodeFails,
    Raise,
    Sleep,
    Unsendable,
    task,
)

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def _sums(count: int) -> list[Task]:
    first = [task(f"in{k}", Add(k), group="in") for k in range(count)]
    return [*first, *(task(f"c{k}", Add(1, (t.key,)), t, group="c") for k, t in enumerate(first))]


def _run(tasks: list[Task], store: Store, **limits: float) -> dict[str, Outcome]:
    run = TaskRun(tasks, store, Processes(2), limits=Limits(**limits))  # pyright: ignore[reportArgumentType]
    labels = {one.key: one.label for one in tasks}
    return {labels[outcome.key]: outcome for outcome in run}


@POSIX
def test_faults_fail_their_own_task_alone(store: Store, tmp_path: Path) -> None:
    sums = _sums(6)
    bad = {
        "kill": Kill(),
        "node": NodeFails(),
        "exit": Raise(SystemExit(3)),
        "send": Unsendable(lambda: 0),
        "once": KillOnce(str(tmp_path / "once")),
        "mask": Blocked(),
    }
    found = _run([*sums, *(task(name, work, group=name) for name, work in bad.items())], store)
    failed = {label: o.failure for label, o in found.items() if o.failure}
    assert {label: failure.code for label, failure in failed.items()} == {
        "kill": "process-ended",
        "node": "not-finite",
        "exit": "task-failed",
        "send": "task-failed",
    }
    assert failed["kill"].message == "its process ended by signal 9 (SIGKILL), twice"
    assert failed["node"].node == "f0"
    assert "cannot be sent" in failed["send"].message
    assert (found["kill"].attempts, found["once"].attempts) == (2, 2)
    assert [float(store.read(one.key).arrays["x"][0]) for one in sums[6:]] == [1, 2, 3, 4, 5, 6]
    assert store.read(found["mask"].key).arrays["x"].all(), "no Ctrl-C, not even as it starts"
    assert os.getpid() not in {outcome.process for outcome in found.values()}


@pytest.mark.slow
@POSIX
def test_hanging_and_hungry_tasks_are_ended(store: Store) -> None:
    """Native code that holds the interpreter, a sleep, one huge allocation, many small ones."""
    work = {"hang": Hang(), "sleep": Sleep(), "huge": Eat(10**12), "bits": Eat(10**11, 10**8)}
    tasks = [task(name, one, group=name) for name, one in work.items()]
    found = _run([*_sums(3), *tasks], store, deadline=20.0, task_memory=1_500_000_000)
    codes = {label: o.failure.code for label, o in found.items() if o.failure}
    assert codes == {
        "hang": "late",
        "sleep": "late",
        "huge": "out-of-memory",
        "bits": "out-of-memory",
    }
    assert found["bits"].attempts == 2


DRIVER = """\
    import sys
    from pathlib import Path
    from voicegraph.experiments.engines.processes import Processes
    from voicegraph.experiments.engines.run_tasks import run_tasks
    from voicegraph.experiments.store import Store
    from tests.experiments.engines._works import Add, Announce, task

    if __name__ == "__main__":
        folder = Path(sys.argv[1])
        tasks = [task("a", Announce(str(folder / "worker"))), task("b", Add(1))]
        list(run_tasks(tasks, Store(folder / "store"), Processes(1)))
"""


@POSIX
def test_workers_of_a_killed_driver_end_by_themselves(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(textwrap.dedent(DRIVER))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = tmp_path / "worker"
    with subprocess.Popen([sys.executable, script, tmp_path], env=environment) as driver:
        while not said.exists() or not said.read_text():
            assert driver.poll() is None
            time.sleep(0.05)
        worker = int(said.read_text())
        os.kill(worker, 0)
        driver.kill()
    until = time.monotonic() + 60
    while _lives(worker):
        assert time.monotonic() < until, "it outlives its driver"
        time.sleep(0.05)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_without_pebble_it_says_what_to_install(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "is_installed", lambda module: False)
    with pytest.raises(PipelineError, match=r"pebble") as caught:
        Processes(1).start(store, Limits())
    assert "voicegraph[experiment]" in (caught.value.problems[0].fix or "")


@POSIX
def test_signals_have_names() -> None:
    assert signal_name(11) == "signal 11 (SIGSEGV)"
    assert signal_name(1000) == "signal 1000"
