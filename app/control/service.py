"""Status and commands of a live session, shared by all interfaces.

Quick commands run at once. Slow commands, which compile or build something (bypass, swap, variant,
monitor), run one after another on a thread of their own, so that a mute never waits for them.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import Future
from typing import Literal

from voicegraph.graph.errors import Problem, StateError, VoicegraphError
from voicegraph.graph.live.protocol import LiveSessionProtocol
from voicegraph.schemas.live_command import (
    Bypass,
    ChooseVariant,
    LiveCommand,
    Monitor,
    Mute,
    SetParam,
    Swap,
    Talk,
)
from voicegraph.schemas.live_status import LiveParam, LiveStatus

from .command_queue import SESSION_ENDED, CommandQueue, failed

Switch = Literal["mute", "talk", "monitor"]
"""Switches that can be toggled."""

FASTEST_HZ = 30
"""Maximum number of statuses a second; all clients share them."""
MOST_WAITING = 8
"""Maximum number of slow commands that are running or waiting."""

_LARGEST = sys.float_info.max

_SLOW = (Bypass, Swap, ChooseVariant, Monitor)


class Service:
    """Reads the status of a live session and runs commands, from any thread.

    Args:
        live: the session.
    """

    def __init__(self, live: LiveSessionProtocol) -> None:
        self.live = live
        self._slow = CommandQueue(self._run, "voicegraph-control", MOST_WAITING)
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._cached: tuple[float, LiveStatus] | None = None
        self._changes = 0

    def status(self) -> LiveStatus:
        """The status, at most 1/30 s old; a finished command or the end is visible at once."""
        ended = self.live.stopped.is_set()
        with self._reading:  # one thread reads for all that ask now; commands never wait for it
            now = time.monotonic()
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

        Returns:
            Done when the command is; fails with VoicegraphError if the command fails.
        """
        if isinstance(command, _SLOW):
            return self._slow.submit(command)
        try:
            self._run(command)
        except VoicegraphError as error:
            return failed(error)
        done: Future[None] = Future()
        done.set_result(None)
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
                return Monitor(on=not now.monitor)

    def toggled_bypass(self, node: str) -> Bypass:
        """The command that bypasses a node, or ends its bypass."""
        off = any(load.name == node and load.bypassed for load in self.live.status().nodes)
        return Bypass(node=node, on=not off)

    def close(self) -> None:
        """Waits for the slow command that is running, and cancels those behind it."""
        self._slow.close()
        self._slow.wait()

    def _run(self, command: LiveCommand) -> None:
        if self.live.stopped.is_set():
            raise StateError(SESSION_ENDED)
        if isinstance(command, SetParam) and not _is_finite(command.value):
            text = f"{command.param} cannot be {command.value}: expected a finite number"
            raise StateError(Problem("value", text))
        try:
            self.live.command(command)
        except VoicegraphError:
            raise
        except Exception as error:  # a bug, of a node for example: the interfaces keep running
            text = f"{command.do} failed: {type(error).__name__}: {error}"
            raise VoicegraphError(Problem("internal", text)) from error
        finally:
            with self._lock:
                self._cached = None
                self._changes += 1


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
