"""Runs commands of ``voicegraph`` in processes of their own, for a server without torch."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from voicegraph.graph.errors import Problem
from voicegraph.schemas.report import ProblemReport

from .errors import BackgroundError, closing
from .priority import LOWEST
from .process import start_low

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command has answered.

    Attributes:
        code: its exit code.
        report: what it printed with ``--json``; None if it failed.
        problems: why it failed; empty if it did not.
    """

    code: int
    report: Any
    problems: tuple[ProblemReport, ...] = ()


class CommandRunner:
    """Runs commands one after another.

    Args:
        timeout_s: how long one may take.
        most_waiting: how many may wait; more are refused.
        program: what Python runs.
        nice: priority; 0 is that of other programs.
    """

    def __init__(
        self,
        timeout_s: float = 300.0,
        most_waiting: int = 8,
        program: Sequence[str] = ("-m", "voicegraph"),
        nice: int = LOWEST,
    ) -> None:
        self._nice = nice
        self._program = program
        self._timeout_s = timeout_s
        self._most = most_waiting
        self._waiting = 0
        self._turn = asyncio.Semaphore(1)
        self._guard = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    async def run(self, *arguments: str) -> CommandResult:
        """Runs ``voicegraph ARGUMENTS --json``.

        Raises:
            BackgroundError: if too many wait already, or the command takes too long.
        """
        if self._waiting > self._most:
            text = f"{self._waiting} checks wait already"
            raise BackgroundError(Problem("too-many", text, fix="try again in a moment"))
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(self._run, arguments)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Ends what is running."""
        with self._guard:
            self._closed = True
            running = list(self._running)
        for process in running:
            with suppress(OSError):
                process.kill()

    def _run(self, arguments: Sequence[str]) -> CommandResult:
        with self._guard:
            if self._closed:
                raise closing()
            process = start_low(
                [*self._program, *arguments, "--json"],
                self._nice,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._running.add(process)
        try:
            out, err = process.communicate(timeout=self._timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            text = f"`voicegraph {arguments[0]}` took longer than {self._timeout_s:g} s"
            raise BackgroundError(Problem("too-slow", text, fix="try it in a terminal")) from None
        finally:
            with self._guard:
                self._running.discard(process)
                closed = self._closed
        if closed and process.returncode:  # it was ended by close()
            raise closing()
        return _result(arguments, process.returncode, out, err)


def _result(arguments: Sequence[str], code: int, out: bytes, err: bytes) -> CommandResult:
    text = out.decode("utf-8", "replace").strip()
    try:
        report = json.loads(text)
    except json.JSONDecodeError:
        said = err.decode("utf-8", "replace").strip().rpartition("\n")[2][-_SHOWN:]
        why = said or f"exit code {code}"
        problem = Problem("internal", f"`voicegraph {arguments[0]}` failed: {why}")
        return CommandResult(code, None, (ProblemReport.model_validate(problem.as_dict()),))
    if isinstance(report, dict) and "error" in report:
        with suppress(ValidationError):
            problems = [ProblemReport.model_validate(found) for found in report["problems"]]
            return CommandResult(code, None, tuple(problems))
    return CommandResult(code, report)
