"""Calls of a process that stays: answers, errors, deaths, and its end."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

import psutil
import pytest

from voicegraph.app.background import BackgroundError, CallProcess
from voicegraph.app.background.priority import LOW
from voicegraph.graph.errors import InputError, Mark

PROGRAM = """
import os, sys, time
from voicegraph.app.background import serve_calls
from voicegraph.graph.errors import Mark, Problem, WeightsError

class OwnError(WeightsError):
    pass

def fail():
    raise OwnError(Problem("damaged", "it is damaged", Mark("a.yaml", 3, 7), fix="another one"))

def die():
    print("out of luck", file=sys.stderr, flush=True)
    os._exit(7)

def say(text):
    print("printed by a library", flush=True)
    return text

serve_calls({"say": say, "fail": fail, "die": die, "sleep": time.sleep, "pid": os.getpid,
             "bug": lambda: 1 // 0})
"""


def _process(**options: Any) -> CallProcess:
    return CallProcess(("-c", PROGRAM), "the tester", **options)


def _called(process: CallProcess, *calls: tuple[Any, ...]) -> list[Any]:
    """Results and errors of calls, one after another."""

    async def run() -> list[Any]:
        found = []
        for name, *arguments in calls:
            try:
                found.append(await process.call(name, *arguments))
            except Exception as error:
                found.append(error)
        return found

    try:
        return asyncio.run(run())
    finally:
        process.close()


def test_results_and_errors_are_those_of_the_function() -> None:
    same, damaged, bug, again = _called(
        _process(), ("say", {"a": [1]}), ("fail",), ("bug",), ("say", 2)
    )
    assert (same, again) == ({"a": [1]}, 2)
    assert isinstance(damaged, InputError)
    (problem,) = damaged.problems
    assert (problem.code, problem.mark, problem.fix) == (
        "damaged",
        Mark("a.yaml", 3, 7),
        "another one",
    )
    assert bug.problems[0].code == "internal"
    assert "ZeroDivisionError" in str(bug)


def test_death_is_told_and_the_next_call_starts_it_again() -> None:
    first, died, second = _called(_process(), ("pid",), ("die",), ("pid",))
    assert isinstance(died, BackgroundError)
    (problem,) = died.problems
    assert problem.message == "the process of the tester ended with exit code 7"
    assert problem.notes == (("out of luck", None),)
    assert first != second


def test_process_that_was_killed_while_idle_is_not_noticed() -> None:
    process = _process()

    async def run() -> tuple[int, int]:
        first = await process.call("pid")
        psutil.Process(first).kill()
        while psutil.pid_exists(first) and process.pid is not None:
            await asyncio.sleep(0.01)
        return first, await process.call("pid")

    first, second = asyncio.run(run())
    process.close()
    assert first != second


def test_call_that_takes_too_long_is_ended() -> None:
    slow, alive = _called(_process(timeout_s=3), ("sleep", 60), ("say", 1))
    assert isinstance(slow, BackgroundError)
    assert "the tester gave no answer within 3 s" in str(slow)
    assert alive == 1


def test_idle_process_ends() -> None:
    process = _process(idle_s=0.05)

    async def run() -> int:
        pid = await process.call("pid")
        while process.pid is not None:
            await asyncio.sleep(0.01)
        return pid

    pid = asyncio.run(run())
    assert not psutil.pid_exists(pid)
    process.close()


def test_process_can_be_started_in_advance() -> None:
    process = _process()
    process.start()
    deadline = time.monotonic() + 30
    while process.pid is None and time.monotonic() < deadline:
        time.sleep(0.01)
    pid = process.pid
    assert pid is not None
    assert _called(process, ("pid",)) == [pid]


def test_closing_ends_the_call_that_runs_and_refuses_the_others() -> None:
    process = _process(most_waiting=3)

    async def run() -> list[Any]:
        calls = [asyncio.create_task(process.call("sleep", 60)) for _ in range(4)]
        await asyncio.sleep(0)
        while process.pid is None:
            await asyncio.sleep(0.01)
        process.close()
        return await asyncio.gather(*calls, return_exceptions=True)

    before = set(threading.enumerate())
    codes = [error.problems[0].code for error in asyncio.run(run())]
    assert sorted(codes) == ["closing", "closing", "closing", "too-many"]
    assert process.pid is None
    assert set(threading.enumerate()) <= before


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX's")
def test_kill_of_the_system_is_told_as_such() -> None:
    process = _process()

    async def run() -> None:
        call = asyncio.create_task(process.call("sleep", 60))
        while process.pid is None:
            await asyncio.sleep(0.01)
        psutil.Process(process.pid).kill()
        await call

    with pytest.raises(BackgroundError, match=r"was ended by signal 9\n.*memory runs out"):
        asyncio.run(run())
    process.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has priority classes")
def test_process_gives_way_once_a_live_session_runs() -> None:
    process = _process()

    async def run() -> list[int]:
        niceness = []
        for _ in range(2):
            pid = await process.call("pid")
            niceness.append(os.getpriority(os.PRIO_PROCESS, pid))
            process.give_way()
        return [*niceness, os.getpriority(os.PRIO_PROCESS, pid)]

    first, *later = asyncio.run(run())
    process.close()
    assert first <= 0
    assert later == [LOW, LOW]
