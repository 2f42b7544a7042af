"""Loading a preset: a change of the session where that can be, a new start where not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from voicegraph.app.page_server.services.preset_loading import load_preset
from voicegraph.app.storage import NotFoundError
from voicegraph.graph.errors import Problem, StateError
from voicegraph.schemas.app import SessionState, StartSession
from voicegraph.schemas.control import Answer, RunningPipeline
from voicegraph.schemas.live_command import LiveCommand, SetParam, Swap
from voicegraph.schemas.session_note import SessionLaunch

from .stored import FakeCommands, store_preset, stored_services
from .test_presets import running_pipeline


class Planner:
    """Plans nothing but the preset's file."""

    def __init__(self, presets: Path) -> None:
        self._presets = presets

    def give_way(self) -> None:
        pass

    async def plan(self, request: StartSession) -> SessionLaunch:
        path = str(self._presets / f"{request.preset}.yaml")
        return SessionLaunch(request=request, pipeline=str(request.preset), path=path)


@dataclass
class Sessions:
    """A session that notes what it is asked to do."""

    running: RunningPipeline | None
    refuses: bool = False
    live: dict[str, Any] = field(default_factory=dict)
    done: list[Any] = field(default_factory=list)
    launch: SessionLaunch | None = None

    async def state(self) -> SessionState:
        return SessionState(state="none" if self.running is None else "running")

    async def pipeline(self) -> RunningPipeline:
        assert self.running is not None
        return self.running

    async def live_values(self) -> dict[str, Any]:
        return self.live

    async def run(self, command: LiveCommand) -> Answer:
        if self.refuses:
            raise StateError(Problem("too-late", "the new pipeline needs more latency"))
        self.done.append(command)
        return Answer(ok=True, command=command)

    async def start(self, launch: SessionLaunch) -> SessionState:
        self.done.append("start")
        return SessionState(state="starting", preset=launch.request.preset)

    def changed_to(self, launch: SessionLaunch) -> SessionState:
        return SessionState(state="running", preset=launch.request.preset)


def _loaded(folders: Path, sessions: Sessions, name: str = "Mine") -> SessionState:
    services = stored_services(folders, FakeCommands())
    store_preset(services.data, "Mine", "extends: default-live\nvars: {transpose: 2}\n")
    planner = Planner(services.data / "presets")
    asked = cast("Any", sessions)
    return asyncio.run(load_preset(name, services.presets, cast("Any", planner), asked))


def test_a_running_session_is_changed_and_its_live_values_follow(folders: Path) -> None:
    sessions = Sessions(running_pipeline("default-live"), live={"voice.formant": 3.0})
    state = _loaded(folders, sessions)
    assert (state.state, state.preset) == ("running", "Mine")
    assert sessions.done == [
        Swap(overrides={"vars.transpose": 2}),
        SetParam(param="voice.formant", value=0),
    ]


def test_without_a_session_one_is_started(folders: Path) -> None:
    sessions = Sessions(None)
    assert _loaded(folders, sessions).state == "starting"
    assert sessions.done == ["start"]


@pytest.mark.parametrize("refuses", [False, True])
def test_what_cannot_be_changed_starts_anew(folders: Path, refuses: bool) -> None:
    running = running_pipeline("default-live" if refuses else "world")
    sessions = Sessions(running, refuses)
    assert _loaded(folders, sessions).preset == "Mine"
    assert sessions.done == ["start"]


def test_an_unknown_preset_changes_nothing(folders: Path) -> None:
    sessions = Sessions(None)
    with pytest.raises(NotFoundError, match="no preset 'Other'"):
        _loaded(folders, sessions, "Other")
    assert sessions.done == []
