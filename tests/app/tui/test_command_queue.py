from __future__ import annotations

import threading
import time

from voicegraph.app.tui._command_queue import Answer, Asking
from voicegraph.graph.errors import Problem, StateError
from voicegraph.schemas.live_command import LiveCommand, Mute, SetParam


class Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.let, self.begun = threading.Event(), threading.Event()
        self.got: list[LiveCommand] = []

    def status(self):
        raise AssertionError

    def say(self, text: str) -> None:
        raise AssertionError

    def request_stop(self) -> None:
        raise AssertionError

    def command(self, command: LiveCommand) -> None:
        self.begun.set()
        assert self.let.wait(10)
        self.got.append(command)
        if isinstance(command, SetParam) and command.value == "wrong":
            raise StateError(Problem("wrong", "wrong"))


def _all(asking: Asking, count: int) -> list[Answer]:
    """Waits for so many answers."""
    found: list[Answer] = []
    end = time.monotonic() + 10
    while len(found) < count and time.monotonic() < end:
        found += asking.answers()
        time.sleep(0.001)
    assert len(found) == count
    asking.close()
    asking.wait()
    return found


def test_nobody_waits_for_a_slow_command() -> None:
    live = Slow()
    asking = Asking(live)
    asking.ask("mute", True, Mute())
    assert asking.answers() == []
    live.let.set()
    assert _all(asking, 1) == [Answer("mute", True, None)]
    assert asking.answers() == []


def test_commands_keep_their_order_and_errors_come_back() -> None:
    live = Slow()
    live.let.set()
    asking = Asking(live)
    values = [1, "wrong", 3]
    for value in values:
        asking.ask("a.b", value, SetParam(param="a.b", value=value))
    answers = _all(asking, 3)
    assert [answer.value for answer in answers] == values
    assert [type(answer.error) for answer in answers] == [type(None), StateError, type(None)]
    assert [command.value for command in live.got if isinstance(command, SetParam)] == values


def test_at_the_end_the_command_under_way_is_waited_for_and_no_other_begins() -> None:
    live = Slow()
    asking = Asking(live)
    asking.ask("mute", True, Mute())
    assert live.begun.wait(10)
    asking.ask("mute", False, Mute(on=False))
    asking.close()
    live.let.set()
    asking.wait()
    assert live.got == [Mute()]
