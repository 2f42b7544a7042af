"""Calls of functions in a process that stays: what needs PyTorch, for a server without it.

The process is started at the first call or in advance, answers one call after another, and ends
when it has had nothing to do for a while. Calls and results are pickled: both sides are ours.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import IO, Any, Protocol, cast

from voicegraph.graph.errors import Problem, VoicegraphError

from .errors import BackgroundError, closing
from .priority import LOW, lower_priority
from .process import how_it_ended, start_low

_IDLE_S = 300.0
_TIMEOUT_S = 120.0
_MOST_WAITING = 32
_TAIL = 2000
_LINES = 3
_ENDS_S = 5.0
_KILLED = 9


class Calls(Protocol):
    """Calls functions by name."""

    def start(self) -> None:
        """Gets ready for the first call; nothing waits for it."""
        ...

    def give_way(self) -> None:
        """From now on a live session on this machine is served first."""
        ...

    def close(self) -> None:
        """Ends what runs; no more calls. Safe to call twice."""
        ...

    async def call(self, name: str, *arguments: Any) -> Any:
        """The result of a function.

        Raises:
            VoicegraphError: as the function does, or because it cannot be called.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    arguments: tuple[Any, ...]
    result: Future[Any]


class CallProcess:
    """A process of our own Python whose functions are called; see ``call_server.py``.

    Args:
        program: what Python runs, such as ``-m`` and a module.
        what: the process in messages, such as ``the planner``.
        timeout_s: how long a call may take, the start included; the process is ended then.
        idle_s: seconds without a call after which the process ends.
        most_waiting: calls that may wait; more are refused.
    """

    def __init__(
        self,
        program: Sequence[str],
        what: str,
        *,
        timeout_s: float = _TIMEOUT_S,
        idle_s: float = _IDLE_S,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._program, self._what = tuple(program), what
        self._timeout_s, self._idle_s, self._most = timeout_s, idle_s, most_waiting
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._waiting = 0
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._closed = False
        self._nice = 0  # until a live session runs, somebody waits for the first answer

    @property
    def pid(self) -> int | None:
        """The number of the process; None if it does not run."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def start(self) -> None:
        """Starts the process in advance; nothing waits for it."""
        self._enqueue(None)

    async def call(self, name: str, *arguments: Any) -> Any:
        """The result of a function in the process.

        Args:
            name: of the function.
            arguments: what it gets.

        Raises:
            VoicegraphError: as the function does.
            BackgroundError: if too many calls wait, it takes too long, or the process dies.
        """
        if self._waiting >= self._most:
            text = f"{self._waiting} requests wait for {self._what} already"
            raise BackgroundError(Problem("too-many", text, fix="try again in a moment"))
        self._waiting += 1
        try:
            result: Future[Any] = Future()
            self._enqueue(_Call(name, arguments, result))
            return await asyncio.wrap_future(result)
        finally:
            self._waiting -= 1

    def give_way(self) -> None:
        """From now on a live session on this machine is served first."""
        with self._guard:
            self._nice = LOW
            if self._process is not None:
                lower_priority(self._process.pid, self._nice)

    def close(self) -> None:
        """Ends the process; calls that wait are refused. Safe to call twice."""
        with self._guard:
            self._closed = True
            process, thread = self._process, self._thread
        if process is not None:
            process.kill()
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _enqueue(self, call: _Call | None) -> None:
        with self._guard:
            if self._closed:
                raise closing()
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="voicegraph-calls")
                self._thread.daemon = True
                self._thread.start()
            self._queue.put(call)

    # ---- the thread that waits for the process --------------------------------------------------

    def _serve(self) -> None:
        while True:
            try:
                call = self._queue.get(timeout=self._idle_s)
            except Empty:
                self._end()
                continue
            if call is None:
                if self._closed:
                    break
                with suppress(VoicegraphError, OSError):  # the first call says why
                    self._running()
            elif call.result.set_running_or_notify_cancel():
                try:
                    call.result.set_result(self._answer(call))
                except BaseException as error:
                    call.result.set_exception(error)
        self._end()

    def _answer(self, call: _Call) -> Any:
        late = threading.Event()

        def give_up() -> None:
            late.set()
            if (process := self._process) is not None:
                process.kill()

        watchdog = threading.Timer(self._timeout_s, give_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            process = self._told(pickle.dumps((call.name, call.arguments)), late)
            good, found = pickle.load(cast("IO[bytes]", process.stdout))
        except BackgroundError:
            raise
        except Exception:  # half an answer is none, whatever it makes pickle say
            raise self._death(late.is_set()) from None
        finally:
            watchdog.cancel()
            watchdog.join()
        if not good:
            raise found
        return found

    def _told(self, call: bytes, late: threading.Event) -> subprocess.Popen[bytes]:
        """The process, once it has the call; another one if it had died unnoticed."""
        try:
            return self._written(call)
        except OSError:
            if late.is_set():
                raise
            self._end()
            return self._written(call)

    def _written(self, call: bytes) -> subprocess.Popen[bytes]:
        process = self._running()
        stream = cast("IO[bytes]", process.stdin)
        stream.write(call)
        stream.flush()
        return process

    def _running(self) -> subprocess.Popen[bytes]:
        """The process, started if it does not run."""
        process = self._process
        if process is not None and process.poll() is None:
            return process
        self._end()
        with self._guard:
            if self._closed:
                raise closing()
            try:
                self._log = tempfile.TemporaryFile()  # noqa: SIM115
                self._process = start_low(
                    self._program,
                    self._nice,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                )
            except OSError as error:
                text = f"the process of {self._what} cannot be started: {error}"
                raise BackgroundError(Problem("cannot-start", text, fix="try again")) from None
            return self._process

    def _death(self, late: bool) -> BackgroundError:
        """The error of a call that the process did not answer."""
        process, code = self._process, None
        if process is not None:
            process.kill()
            code = process.wait()
        notes = tuple((line, None) for line in self._said())
        self._end()
        if self._closed:
            return closing()
        if late:
            text = f"{self._what} gave no answer within {self._timeout_s:g} s, and was ended"
            fix = "try again when the computer is less busy"
            return BackgroundError(Problem("too-slow", text, notes=notes, fix=fix))
        text = f"the process of {self._what} {how_it_ended(code)}"
        if code == -_KILLED:
            notes = (*notes, ("the system ends programs so when memory runs out", None))
        return BackgroundError(Problem("process-died", text, notes=notes, fix="try again"))

    def _said(self) -> list[str]:
        """The last lines that the process printed."""
        if self._log is None:
            return []
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - _TAIL))
        text = self._log.read().decode("utf-8", "replace")
        return [line.strip() for line in text.splitlines() if line.strip()][-_LINES:]

    def _end(self) -> None:
        """Ends the process if it runs: it ends when its input does."""
        process = self._process
        if process is not None:
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    cast("IO[bytes]", stream).close()
            try:
                process.wait(_ENDS_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None
