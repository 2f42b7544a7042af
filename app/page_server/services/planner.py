"""Plans sessions and describes what they run, by calls of a process that compiles pipelines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicegraph.app.background import CallProcess, Calls
from voicegraph.schemas.app import CheckResult, Control, Graph, Quality, QualityId, StartSession
from voicegraph.schemas.control import RunningPipeline
from voicegraph.schemas.session_note import SessionLaunch

_WORKER = ("-m", "voicegraph.app.page_server.planning.worker")


def planning_process(library: Path, presets: Path) -> CallProcess:
    """The process in which pipelines are compiled; not started yet.

    Args:
        library: the folder of voices.
        presets: the folder of presets.
    """
    return CallProcess((*_WORKER, str(library), str(presets)), "the planner of sessions")


class Planner:
    """What pipelines mean, for routes; every method may take seconds.

    All raise ``BackgroundError`` if the process is too slow or dies, beside what is said there.

    Args:
        process: calls the functions of ``planning/worker.py``.
    """

    def __init__(self, process: Calls) -> None:
        self._process = process
        self._drawing = asyncio.Lock()
        self._drawn: tuple[RunningPipeline, Graph] | None = None

    def start(self) -> None:
        """Starts the process in advance."""
        self._process.start()

    def give_way(self) -> None:
        """From now on a live session is served first."""
        self._process.give_way()

    def close(self) -> None:
        """Ends the process. Safe to call twice."""
        self._process.close()

    async def plan(self, request: StartSession) -> SessionLaunch:
        """The session that is asked for, compiled once, so that mistakes are known at once.

        Raises:
            VoicegraphError: if there is no such voice, pipeline or preset, something is missing,
                or the pipeline has mistakes.
        """
        return await self._process.call("plan", request)

    async def qualities(self, voice: str | None) -> list[Quality]:
        """The qualities of a voice's first live pipeline.

        Raises:
            InputError: if there is no such voice.
        """
        return await self._process.call("qualities", voice)

    async def controls(self, voice: str | None, quality: QualityId) -> list[Control]:
        """The main controls of a voice that is not started yet.

        Raises:
            InputError: if there is no such voice.
        """
        return await self._process.call("controls", voice, quality)

    async def running_controls(self, running: RunningPipeline) -> list[Control]:
        """The main controls of what a session runs."""
        return await self._process.call("running_controls", running)

    async def describe(self, running: RunningPipeline) -> Graph:
        """The drawing of what a session runs, with all nodes; made once for all who ask."""
        async with self._drawing:
            if self._drawn is None or self._drawn[0] != running:
                self._drawn = running, await self._process.call("describe", running)
            return self._drawn[1]

    async def check(self, running: RunningPipeline, overrides: Mapping[str, Any]) -> CheckResult:
        """What is wrong with a change of what a session runs; nothing is changed."""
        return await self._process.call("check", running, dict(overrides))
