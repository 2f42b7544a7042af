"""Status and commands of a live session, shared by all interfaces.

Quick commands run at once. Slow commands, which compile or build something (bypass, swap, profile,
voice, variant, monitor), run one after another on a thread of their own, so that a mute never waits
for them; those that open files (record, mark) run on another one. A command is done when the next
one may come: a hot swap when its nodes are heard.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future
from time import monotonic
from typing import Literal

from voicegraph.graph.errors import Problem, StateError, VoicegraphError
from voicegraph.graph.live.protocol import LiveSessionProtocol, ShownSession
from voicegraph.schemas.live_command import (
    Bypass,
    ChooseProfile,
    ChooseVariant,
    ChooseVoice,
    LiveCommand,
    Mark,
    Monitor,
    Mute,
    Record,
    SetParam,
    Swap,
    Talk,
)
from voicegraph.schemas.live_status import LiveParam, LiveStatus

from .command_queue import SESSION_ENDED, CommandQueue, failed

Switch = Literal["mute", "talk", "monitor", "record"]
"""Switches that can be toggled."""

FASTEST_HZ = 30
"""Maximum number of statuses a second; all clients share them."""
MOST_WAITING = 8
"""Maximum number of slow commands that are running or waiting."""

_LARGEST = sys.float_info.max

SLOW = (Bypass, Swap, ChooseProfile, ChooseVoice, ChooseVariant, Monitor)
"""Commands that compile or build something."""
FILES = (Record, Mark)
"""Commands that wait for a disk, but not for the slow ones; in order among themselves."""
_CLOSING_S = 0.5
"""How long :meth:`Service.close` waits for the command that is running, in seconds."""


def run_to_end(live: ShownSession, command: LiveCommand) -> None:
    """Carries out a command; waits until a hot swap is complete.

    Raises:
        VoicegraphError: if the command fails.
    """
    begun = live.command(command)
    if begun is not None:
        begun.result()


class Service:
    """Reads the status of a live session and runs commands, from any thread.

    Args:
        live: the session.
    """

    def __init__(self, live: LiveSessionProtocol) -> None:
        self.live = live
        self._slow = CommandQueue(self._run, "voicegraph-control", MOST_WAITING)
        self._files = CommandQueue(self._run, "voicegraph-takes", MOST_WAITING)
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._cached: tuple[float, LiveStatus] | None = None
        self._changes = 0
        self._unfinished: list[LiveCommand] = []  # slow ones that run or wait, in order

    def status(self) -> LiveStatus:
        """The status, at most 1/30 s old; a finished command or the end is visible at once."""
        ended = self.live.stopped.is_set()
        with self._reading:  # one thread reads for all that ask now; commands never wait for it
            now = monotonic()
            with self._lock:
                known, changes = self._cached, self._changes
            if known is not None and not ended and now - known[0] < 1 / FASTEST_HZ:
                return known[1]
            status = self.live.status()
            with self._lock:
                if changes == self._changes:  # otherwise it may be from before a command
                    self._cached = (now, status)
        return status

    def param(self, name: str) -> LiveParam:
        """The current state of one param.

        Raises:
            StateError: if there is no live param of that name.
        """
        params = self.live.status().params
        for param in params:
            if param.name == name:
                return param
        known = ", ".join(param.name for param in params) or "none"
        text = f"there is no param {name}; live params: {known}"
        raise StateError(Problem("no-such-param", text))

    def submit(self, command: LiveCommand) -> Future[None]:
        """Runs a quick command now, or queues a slow one.

        A param that does not exist waits for the slow commands before it: one of them may bring it.

        Returns:
            Done when the command is; fails with VoicegraphError if the command fails.
        """
        if isinstance(command, SLOW):
            return self._submit_slow(command)
        if isinstance(command, FILES):
            return self._files.submit(command)
        try:
            self._run(command)
        except VoicegraphError as error:
            if isinstance(command, SetParam) and _is_unknown(error) and self._slow.busy:
                return self._submit_slow(command)
            return failed(error)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def _submit_slow(self, command: LiveCommand) -> Future[None]:
        self._unfinished.append(command)
        done = self._slow.submit(command)
        done.add_done_callback(lambda _: self._unfinished.remove(command))
        return done

    def toggled(self, switch: Switch) -> LiveCommand:
        """The command that flips a switch."""
        now = self.live.status()
        match switch:
            case "mute":
                return Mute(on=not now.muted)
            case "talk":
                return Talk(on=not now.talking)
            case "monitor":
                asked = [other.on for other in list(self._unfinished) if isinstance(other, Monitor)]
                return Monitor(on=not (asked[-1] if asked else now.monitor))
            case "record":
                return Record(on=now.take is None)

    def toggled_bypass(self, node: str) -> Bypass:
        """The command that bypasses a node, or ends its bypass; the opposite of what is asked."""
        asked = [
            other.on
            for other in list(self._unfinished)
            if isinstance(other, Bypass) and other.node == node
        ]
        off = any(load.name == node and load.bypassed for load in self.live.status().nodes)
        return Bypass(node=node, on=not (asked[-1] if asked else off))

    def close(self) -> None:
        """Cancels waiting commands, and waits for the running one, for half a second at most."""
        for queue in (self._slow, self._files):
            queue.close()
        for queue in (self._slow, self._files):
            queue.wait(_CLOSING_S)

    def _run(self, command: LiveCommand) -> None:
        if self.live.stopped.is_set():
            raise StateError(SESSION_ENDED)
        if isinstance(command, SetParam) and not _is_finite(command.value):
            text = f"{command.param} cannot be {command.value}: expected a finite number"
            raise StateError(Problem("value", text))
        try:
            run_to_end(self.live, command)
        except VoicegraphError:
            raise
        except Exception as error:  # a bug, of a node for example: the interfaces keep running
            text = f"{command.do} failed: {type(error).__name__}: {error}"
            raise VoicegraphError(Problem("internal", text)) from error
        finally:
            with self._lock:
                self._cached = None
                self._changes += 1


def _is_unknown(error: VoicegraphError) -> bool:
    return any(problem.code == "no-such-param" for problem in error.problems)


def _is_finite(value: object) -> bool:
    """OSC can carry NaN; JSON numbers such as 1e999 have no value that a computer can hold."""
    match value:
        case int() | float():
            return -_LARGEST <= value <= _LARGEST
        case dict():
            return all(_is_finite(item) for item in value.values())
        case list():
            return all(_is_finite(item) for item in value)
    return True
