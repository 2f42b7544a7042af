"""The planner's process, as the page server calls it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from voicegraph.app.page_server.services.planner import Planner, planning_process
from voicegraph.app.session_server._running_pipeline import running_pipeline
from voicegraph.graph.errors import InputError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.app import Graph, StartSession
from voicegraph.schemas.control import RunningPipeline

from ..conftest import CallsHere


def test_sessions_are_planned_in_a_process_that_may_be_killed(tmp_path: Path) -> None:
    process = planning_process(tmp_path / "voices", tmp_path / "presets")
    planner = Planner(process)

    async def run() -> None:
        launch = await planner.plan(StartSession())
        assert (launch.voice, launch.pipeline) == ("heart", "default-live")
        with pytest.raises(InputError, match="nobody"):
            await planner.qualities("nobody")
        psutil.Process(process.pid).kill()
        while process.pid is not None:
            await asyncio.sleep(0.01)
        assert [quality.id for quality in await planner.qualities(None)][1] == "balanced"

    try:
        asyncio.run(run())
    finally:
        planner.close()


def test_page_server_does_without_torch() -> None:
    code = (
        "import sys\n"
        "from voicegraph.app.cli import app_command\n"
        "from voicegraph.app.page_server import running_app, server\n"
        "print(sorted({'torch', 'scipy', 'onnxruntime'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (found.stdout.strip(), found.stderr) == ("[]", "")


def test_a_running_pipeline_is_drawn_once_for_all_who_ask() -> None:
    running = running_pipeline(Pipeline.load("world").compile())
    drawn: list[RunningPipeline] = []

    def describe(asked: RunningPipeline) -> Graph:
        drawn.append(asked)
        return Graph(pipeline=asked.name, svg="", nodes=[], delay_ms=0)

    planner = Planner(CallsHere({"describe": describe}))
    other = running.model_copy(update={"overrides": {"vars.transpose": 3}})

    async def ask(*asked: RunningPipeline) -> None:
        await asyncio.gather(*(planner.describe(each) for each in asked))

    asyncio.run(ask(running, running.model_copy(deep=True), running))
    assert drawn == [running]
    asyncio.run(ask(other))
    assert drawn == [running, other]
