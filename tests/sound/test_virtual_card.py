"""The virtual sound card's program ends what it started, however it is ended itself."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CARD = Path(__file__).resolve().parents[2] / "tools" / "virtual_card.py"
_COMMAND = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(300)"
_ENDS_S = 20


@pytest.fixture
def run(daemon: Any) -> Iterator[Callable[[str], tuple[subprocess.Popen[str], int]]]:
    """Runs the program with Python code that prints its process id: both."""
    begun: list[subprocess.Popen[str]] = []

    def begin(code: str) -> tuple[subprocess.Popen[str], int]:
        command = [sys.executable, str(CARD), sys.executable, "-c", code]
        program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        begun.append(program)
        assert program.stdout is not None
        return program, int(program.stdout.readline())

    yield begin
    for program in begun:
        assert program.stdout is not None
        program.stdout.close()
        program.wait(_ENDS_S)


def _ended(process: int) -> bool:
    for _ in range(50 * _ENDS_S):
        try:
            state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return True
        if state.rpartition(")")[2].split()[0] == "Z":  # nobody has asked for its exit code
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_command_ends_with_the_program(run: Any, name: str) -> None:
    number = signal.Signals[name]
    program, command = run(_COMMAND)
    program.send_signal(number)
    code = program.wait(_ENDS_S)
    assert code == (-number if name == "SIGKILL" else 128 + number)
    assert _ended(command)


@pytest.mark.slow
def test_command_that_ignores_termination_is_killed(run: Any) -> None:
    ignores = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    program, command = run(ignores + _COMMAND)
    program.send_signal(signal.SIGTERM)
    assert program.wait(_ENDS_S) == 128 + signal.SIGTERM
    assert _ended(command)


def test_exit_code_is_that_of_the_command(run: Any) -> None:
    program, _ = run("import os; print(os.getpid(), flush=True); raise SystemExit(7)")
    assert program.wait(_ENDS_S) == 7
