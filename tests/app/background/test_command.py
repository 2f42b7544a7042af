"""Commands in processes of their own: their answers, their failures, their priority."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from voicegraph.app.background import CommandRunner, start_background
from voicegraph.app.background.errors import BackgroundError
from voicegraph.app.background.priority import LOWEST

PROGRAM = """
import json, sys, time
given = sys.argv[1:]
if given[0] == "sleep":
    time.sleep(60)
if given[0] == "crash":
    sys.exit("segmentation fault")
problem = {"code": "no-such-file", "message": "gone", "where": None, "line": None, "column": None,
           "notes": [], "fix": None}
print(json.dumps({"error": "InputError", "problems": [problem]} if given[0] == "bad" else given))
sys.exit(3 if given[0] == "bad" else 0)
"""


def _runner(**options: Any) -> CommandRunner:
    return CommandRunner(program=("-c", PROGRAM), **options)


def test_report_and_problems_of_a_command() -> None:
    good = asyncio.run(_runner().run("good", "-x"))
    assert (good.code, good.report, good.problems) == (0, ["good", "-x", "--json"], ())
    bad = asyncio.run(_runner().run("bad"))
    assert (bad.code, bad.report) == (3, None)
    assert [problem.code for problem in bad.problems] == ["no-such-file"]


def test_a_command_that_prints_no_json_has_failed() -> None:
    result = asyncio.run(_runner().run("crash"))
    (problem,) = result.problems
    assert (problem.code, problem.message) == (
        "internal", "`voicegraph crash` failed: segmentation fault",
    )  # fmt: skip


def test_a_command_that_takes_too_long_is_ended() -> None:
    with pytest.raises(BackgroundError, match="took longer than"):
        asyncio.run(_runner(timeout_s=0.2).run("sleep"))


def test_too_many_commands_are_refused_and_closing_ends_them() -> None:
    async def flood() -> list[str]:
        runner = _runner(most_waiting=2)
        waiting = [asyncio.create_task(runner.run("sleep")) for _ in range(5)]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        refused = [task.exception() for task in done]
        runner.close()
        rest = await asyncio.gather(*waiting, return_exceptions=True)
        assert not any(isinstance(found, asyncio.CancelledError) for found in rest)
        return [str(error) for error in refused]

    assert all("3 checks wait already" in text for text in asyncio.run(flood()))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_background_processes_have_a_low_priority(tmp_path: Path) -> None:
    code = "import os, time; print(os.getcwd()); time.sleep(60)"
    process = start_background(["-c", code], tmp_path / "log.txt")
    try:
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == LOWEST
        assert os.getsid(process.pid) == process.pid
        group = Path(f"/proc/{process.pid}/autogroup")
        if group.exists() and (text := group.read_text(encoding="ascii")):
            assert text.split()[-1] == str(LOWEST)
    finally:
        process.kill()
        process.wait()


def test_modules_of_the_current_folder_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "colorsys.py").write_text("raise SystemExit(3)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    process = start_background(["-c", "import colorsys"], tmp_path / "log.txt")
    assert process.wait(60) == 0
