"""The delay is measured with what would be heard, and the session makes way for it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from voicegraph.app.background import CommandResult, CommandRunner
from voicegraph.app.page_server.services.latency_measurements import LatencyMeasurements
from voicegraph.app.storage import BusyError, ConflictError
from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.metrics.benchmark import describe_machine
from voicegraph.schemas.app import MeasureLatency, SessionState, StartSession
from voicegraph.schemas.latency_measurement import DelayRun, LatencyMeasurement
from voicegraph.schemas.report import ProblemReport
from voicegraph.schemas.session_note import SessionLaunch


def _launch(request: StartSession) -> SessionLaunch:
    return SessionLaunch(
        request=request, pipeline="default-live", path="default-live", voice=request.voice,
        profile="steady", overrides={"vars.voice": "heart"}, room_ms=135.0,
    )  # fmt: skip


class _Planner:
    async def plan(self, request: StartSession) -> SessionLaunch:
        return _launch(request)


class _Sessions:
    """Notes what is done to the session."""

    def __init__(self, state: str = "none", **request: Any) -> None:
        self.launch = _launch(StartSession(**request)) if state == "running" else None
        self.now = state
        self.done: list[str] = []

    async def state(self) -> SessionState:
        return SessionState(state=cast("Any", self.now))

    async def stop(self) -> None:
        self.done.append("stop")
        self.now = "none"

    async def start(self, launch: SessionLaunch) -> None:
        assert launch == self.launch
        self.done.append("start")


class _Commands(CommandRunner):
    def __init__(self, result: CommandResult, sessions: _Sessions) -> None:
        super().__init__()
        self._result, self._sessions = result, sessions
        self.asked: list[tuple[str, ...]] = []

    async def run(self, *arguments: str) -> CommandResult:
        self.asked.append(arguments)
        self._sessions.done.append("measure")
        await asyncio.sleep(0)
        return self._result


def _found() -> CommandResult:
    runs = [DelayRun(device_ms=20, whole_ms=ms, sure=0.9) for ms in (230.0, 231.5, 230.5)]
    report = LatencyMeasurement(
        pipeline="default-live", input="mic", output="speaker", machine=describe_machine(),
        block_ms=60, algorithmic_ms=135, buffering_ms=75, device_claimed_ms=12, device_ms=20,
        measured_ms=230.5, runs=runs, compute_median_ms=10, compute_p99_ms=12, late=0,
    )  # fmt: skip
    return CommandResult(1, report.model_dump(mode="json"))


def _made(sessions: _Sessions, result: CommandResult) -> tuple[LatencyMeasurements, _Commands]:
    commands = _Commands(result, sessions)
    planner = cast("Any", _Planner())
    return LatencyMeasurements(cast("Any", sessions), planner, commands), commands


def test_what_is_chosen_is_measured_while_no_session_runs() -> None:
    sessions = _Sessions()
    service, commands = _made(sessions, _found())
    asked = MeasureLatency(session=StartSession(voice="heart", input="ALSA: mic", delay_ms=300))
    found = asyncio.run(service.measure(asked))
    assert (found.measured_ms, found.spread_ms, found.runs) == (230.5, 1.5, 3)
    assert service.newest == found
    assert sessions.done == ["measure"]
    assert commands.asked == [
        ("latency", "default-live", "--room", "135ms", "--delay", "300ms", "--profile", "steady",
         "--set", 'vars.voice="heart"', "--input=ALSA: mic"),
    ]  # fmt: skip


def test_running_session_makes_way_and_goes_on() -> None:
    sessions = _Sessions("running", voice="michael")
    service, _ = _made(sessions, _found())
    found = asyncio.run(service.measure(MeasureLatency(dry=True)))
    assert sessions.done == ["stop", "measure", "start"]
    assert (found.voice, found.dry) == ("michael", True)


def test_session_goes_on_if_nothing_came_back() -> None:
    problem = Problem("no-loopback", "nothing came back", fix="voicegraph latency --dry measures x")
    failed = CommandResult(5, None, (ProblemReport.model_validate(problem.as_dict()),))
    sessions = _Sessions("running")
    service, _ = _made(sessions, failed)
    with pytest.raises(VoicegraphError) as raised:
        asyncio.run(service.measure(MeasureLatency()))
    assert sessions.done == ["stop", "measure", "start"]
    assert raised.value.problems[0].fix == "measure without the voice"


def test_virtual_microphone_has_no_way_back() -> None:
    sessions = _Sessions("running", virtual_microphone=True)
    service, _ = _made(sessions, _found())
    with pytest.raises(ConflictError):
        asyncio.run(service.measure(MeasureLatency()))
    assert sessions.done == []


def test_one_measurement_at_a_time() -> None:
    service, _ = _made(_Sessions(), _found())

    async def both() -> list[Any]:
        calls = [service.measure(MeasureLatency()) for _ in range(2)]
        return await asyncio.gather(*calls, return_exceptions=True)

    kinds = {type(result).__name__ for result in asyncio.run(both())}
    assert kinds == {"MeasuredLatency", BusyError.__name__}
