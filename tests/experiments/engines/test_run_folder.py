"""The folder of a run: one driver at a time, and the other one is named."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from voicegraph.experiments.engines.run_folder import DRIVER, locked
from voicegraph.graph.errors import OutputError

HOLDER = """\
import sys
from pathlib import Path
from voicegraph.experiments.engines.run_folder import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_driver_is_refused_and_the_first_one_named(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(OutputError) as caught, locked(folder):
            pass
        (problem,) = caught.value.problems
        assert problem.code == "in-use"
        assert f"process {other.pid} on {socket.gethostname()}" in problem.message
        (folder / DRIVER).write_text("{")
        with pytest.raises(OutputError, match="another process"), locked(folder):
            pass
        other.kill()
    with locked(folder):
        assert str(os.getpid()) in (folder / DRIVER).read_text()


def test_a_lock_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "deep" / "run"):
            pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"), locked(tmp_path / "file" / "run"):
        pass
