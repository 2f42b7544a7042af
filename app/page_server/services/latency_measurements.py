"""Measures the delay from microphone to loudspeaker, with the devices and the voice of the session.

A test signal is played and recorded again, so the session makes way for it, and is started again
as it was.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

from voicegraph.app.background import CommandRunner
from voicegraph.app.storage import BusyError, ConflictError
from voicegraph.graph.errors import Problem
from voicegraph.schemas.app import MeasuredLatency, MeasureLatency
from voicegraph.schemas.latency_measurement import LatencyMeasurement
from voicegraph.schemas.session_note import SessionLaunch

from ._problems import in_page, raise_problems
from .live_sessions import LiveSessions
from .planner import Planner


class LatencyMeasurements:
    """Measures when it is asked to, once at a time.

    Args:
        sessions: the live session, which is stopped meanwhile.
        planner: plans what is measured if no session runs.
        commands: runs ``voicegraph latency``.

    Attributes:
        newest: the measurement of this server that was made last; None before.
    """

    def __init__(self, sessions: LiveSessions, planner: Planner, commands: CommandRunner) -> None:
        self.newest: MeasuredLatency | None = None
        self._sessions, self._planner, self._commands = sessions, planner, commands
        self._turn = asyncio.Lock()

    async def measure(self, asked: MeasureLatency) -> MeasuredLatency:
        """Measures, and lets a session that ran go on.

        Raises:
            BusyError: if a measurement is running.
            ConflictError: if a virtual microphone is played to.
            VoicegraphError: if nothing came back from the loudspeaker, or a device fails.
        """
        if self._turn.locked():
            raise BusyError(Problem("measuring", "the delay is being measured", fix="wait"))
        async with self._turn:
            runs = (await self._sessions.state()).state in ("starting", "running")
            before = self._sessions.launch
            if runs and before is not None:
                launch = before
            else:
                launch = await self._planner.plan(asked.session)
            if launch.request.virtual_microphone:
                raise ConflictError(_no_way_back())
            if runs:
                await self._sessions.stop()
            try:
                self.newest = await self._run(launch, asked.dry)
            finally:
                if runs and (await self._sessions.state()).state == "none":
                    await self._sessions.start(launch)
        return self.newest

    async def _run(self, launch: SessionLaunch, dry: bool) -> MeasuredLatency:
        result = await self._commands.run("latency", *latency_arguments(launch, dry))
        raise_problems([in_page(problem) for problem in result.problems])
        found = LatencyMeasurement.model_validate(result.report)
        whole = [run.whole_ms for run in found.runs]
        return MeasuredLatency(
            measured=datetime.now(UTC),
            pipeline=launch.pipeline,
            voice=launch.voice,
            dry=dry,
            input=found.input,
            output=found.output,
            measured_ms=found.measured_ms,
            spread_ms=max(whole) - min(whole),
            runs=len(whole),
            algorithmic_ms=found.algorithmic_ms,
            buffering_ms=found.buffering_ms,
            device_ms=found.device_ms,
            device_claimed_ms=found.device_claimed_ms,
            late=found.late,
        )


def latency_arguments(launch: SessionLaunch, dry: bool) -> list[str]:
    """What ``voicegraph latency`` is told, so that it measures the session that would start so."""
    request = launch.request
    found = [launch.path]
    found += ["--dry"] if dry else ["--room", f"{launch.room_ms:g}ms"]
    found += ["--delay", f"{request.delay_ms:g}ms"] if request.delay_ms is not None else []
    found += ["--profile", launch.profile] if launch.profile is not None else []
    for path, value in launch.overrides.items():
        found += ["--set", f"{path}={json.dumps(value)}"]  # JSON is YAML
    found += [f"--input={request.input}"] if request.input else []
    found += [f"--output={request.output}"] if request.output else []
    return found


def _no_way_back() -> Problem:
    text = "the session plays to a virtual microphone, which no microphone can hear"
    fix = "stop, choose a loudspeaker without the virtual microphone, and measure"
    return Problem("no-loopback", text, fix=fix)
