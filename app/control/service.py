"""What all interfaces do with the session: look at it, and hand commands to it.

Commands that only turn a knob are done at once. Those that compile or build something (an exchange
of nodes, the monitor) take longer: they go one after another through a thread of their own, so that
nobody who mutes has to wait for them.
"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
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

Switch = Literal["mute", "talk", "monitor"]
"""What is on or off, and can be turned over."""

FASTEST_HZ = 30
"""Nobody is shown more statuses a second, and all who look share them."""
MOST_WAITING = 8
"""Commands that may wait for slow ones before them."""

_ENDED = Problem("ended", "the session has ended")
_BUSY = Problem(
    "busy",
    f"{MOST_WAITING} commands that take long are waiting already",
    fix="wait for their answers",
)
_SLOW = (Bypass, Swap, ChooseVariant, Monitor)


class Desk:
    """The knobs and meters of a live session, for any thread.

    Args:
        live: the session.
    """

    def __init__(self, live: LiveSessionProtocol) -> None:
        self.live = live
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="voicegraph-control")
        self._lock = threading.Lock()
        self._waiting = 0
        self._seen: tuple[float, LiveStatus] | None = None

    def status(self) -> LiveStatus:
        """The session now, or up to a thirtieth of a second ago; never before a command's end."""
        ended = self.live.stopped.is_set()
        now = time.monotonic()
        with self._lock:
            if self._seen is None or ended or now - self._seen[0] >= 1 / FASTEST_HZ:
                self._seen = (now, self.live.status())
            return self._seen[1]

    def param(self, name: str) -> LiveParam:
        """One param as it is now.

        Raises:
            StateError: if there is none of that name.
        """
        params = self.live.status().params
        for param in params:
            if param.name == name:
                return param
        known = ", ".join(param.name for param in params) or "none"
        text = f"there is no param {name}; live params: {known}"
        raise StateError(Problem("no-such-param", text))

    def submit(self, command: LiveCommand) -> Future[None]:
        """Does what is asked; the future fails with VoicegraphError if that cannot be."""
        if isinstance(command, _SLOW):
            return self._later(command)
        try:
            self._do(command)
        except VoicegraphError as error:
            return _failed(error)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def turned_over(self, switch: Switch) -> LiveCommand:
        """The command that switches off what is on, and on what is off."""
        now = self.live.status()
        match switch:
            case "mute":
                return Mute(on=not now.muted)
            case "talk":
                return Talk(on=not now.talking)
            case "monitor":
                return Monitor(on=not now.monitor)

    def bypass_turned_over(self, node: str) -> Bypass:
        """The command that switches a node off, or on again."""
        off = any(load.name == node and load.bypassed for load in self.live.status().nodes)
        return Bypass(node=node, on=not off)

    def close(self) -> None:
        """Waits for the command that is being done; those behind it are given up."""
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _later(self, command: LiveCommand) -> Future[None]:
        with self._lock:
            if self._waiting >= MOST_WAITING:
                return _failed(StateError(_BUSY))
            try:
                waiting = self._worker.submit(self._do, command)
            except RuntimeError:  # closed in the meantime
                return _failed(StateError(_ENDED))
            self._waiting += 1
        waiting.add_done_callback(self._one_less)
        return waiting

    def _one_less(self, _: Future[None]) -> None:
        with self._lock:
            self._waiting -= 1

    def _do(self, command: LiveCommand) -> None:
        if self.live.stopped.is_set():
            raise StateError(_ENDED)
        if isinstance(command, SetParam) and not _finite(command.value):
            text = f"{command.param} cannot be {command.value}: expected a finite number"
            raise StateError(Problem("value", text))
        try:
            self.live.command(command)
        except VoicegraphError:
            raise
        except Exception as error:  # of a node, say: the interface answers, and stays
            text = f"{command.do} failed: {type(error).__name__}: {error}"
            raise VoicegraphError(Problem("internal", text)) from error
        finally:
            with self._lock:
                self._seen = None


def _failed(error: VoicegraphError) -> Future[None]:
    future: Future[None] = Future()
    future.set_exception(error)
    return future


def _finite(value: object) -> bool:
    """JSON has no NaN, but Python's readers take it, and OSC carries it."""
    match value:
        case float():
            return math.isfinite(value)
        case dict():
            return all(_finite(item) for item in value.values())
        case list():
            return all(_finite(item) for item in value)
    return True
