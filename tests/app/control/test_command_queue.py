from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from voicegraph.app.control.command_queue import CommandQueue
from voicegraph.graph.errors import Problem, StateError
from voicegraph.schemas.live_command import LiveCommand, Mute, SetParam


class Blocking:
    """Runs commands while its gate is open."""

    def __init__(self) -> None:
        self.gate, self.begun = threading.Event(), threading.Event()
        self.done: list[LiveCommand] = []

    def execute(self, command: LiveCommand) -> None:
        self.begun.set()
        assert self.gate.wait(10)
        self.done.append(command)
        if isinstance(command, SetParam) and command.value == "wrong":
            raise StateError(Problem("wrong", "wrong"))


@pytest.fixture
def blocking() -> Blocking:
    return Blocking()


@pytest.fixture
def queue(blocking: Blocking) -> Iterator[CommandQueue]:
    made = CommandQueue(blocking.execute, "test-commands", limit=3)
    yield made
    blocking.gate.set()
    made.close()
    made.wait()
    assert "test-commands" not in {thread.name for thread in threading.enumerate()}


def test_submit_does_not_wait_for_the_command(queue: CommandQueue, blocking: Blocking) -> None:
    future = queue.submit(Mute())
    assert not future.done()
    blocking.gate.set()
    assert future.result(10) is None
    assert blocking.done == [Mute()]


def test_commands_keep_order_and_report_errors(queue: CommandQueue, blocking: Blocking) -> None:
    commands = [SetParam(param="a.b", value=value) for value in (1, "wrong", 3)]
    futures = [queue.submit(command) for command in commands]
    blocking.gate.set()
    errors = [type(future.exception(10)) for future in futures]
    assert errors == [type(None), StateError, type(None)]
    assert blocking.done == commands


def test_close_cancels_commands_that_have_not_begun(
    queue: CommandQueue, blocking: Blocking
) -> None:
    running, waiting = queue.submit(Mute()), queue.submit(Mute(on=False))
    assert blocking.begun.wait(10)
    queue.close()
    blocking.gate.set()
    queue.wait()
    assert running.result(0) is None
    assert waiting.cancelled()
    assert blocking.done == [Mute()]


def _code(queue: CommandQueue) -> str:
    error = queue.submit(Mute()).exception(0)
    assert isinstance(error, StateError)
    return error.problems[0].code


def test_closed_queue_takes_no_commands(queue: CommandQueue, blocking: Blocking) -> None:
    queue.close()
    assert _code(queue) == "ended"
    assert blocking.done == []


def test_full_queue_refuses_until_one_is_done(queue: CommandQueue, blocking: Blocking) -> None:
    futures = [queue.submit(Mute()) for _ in range(3)]
    assert _code(queue) == "busy"
    futures[-1].cancel()
    last = queue.submit(Mute())
    blocking.gate.set()
    assert last.result(10) is None
    assert len(blocking.done) == 3
