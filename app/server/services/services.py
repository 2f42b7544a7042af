"""All services of the page server, made at its start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from voicegraph.graph.files.user_folders import data_folder, state_folder
from voicegraph.graph.files.voice_library import library_folder
from voicegraph.schemas.app import AppLimits

from .live_sessions import LiveSessions
from .running_graph import RunningGraph
from .session_files import SessionFolder
from .session_planner import SessionPlanner
from .session_process import live_command
from .sound_devices import SoundDevices


@dataclass(frozen=True)
class Services:
    """What routes get as ``CurrentServices``; a topic adds its own as a field.

    Attributes:
        limits: what clients may take.
        data: the folder of voices, presets, takes and jobs.
        state: the folder of notes about running programs.
        devices: lists sound devices and watches inputs.
        planner: turns what a page asks for into a session.
        sessions: the live session.
        graph: describes and checks what it runs.
    """

    limits: AppLimits
    data: Path
    state: Path
    devices: SoundDevices
    planner: SessionPlanner
    sessions: LiveSessions
    graph: RunningGraph

    async def close(self) -> None:
        """Ends what must not outlive the server; live sessions go on."""


def open_services(limits: AppLimits, say: Callable[[str], None]) -> Services:
    """The services over the user's own folders.

    Args:
        limits: what clients may take.
        say: receives messages about faults.
    """
    data, state = data_folder(), state_folder()
    planner = SessionPlanner(library_folder(), data / "presets")
    command_line = partial(live_command, readable=planner.readable)
    sessions = LiveSessions(SessionFolder(state / "app"), command_line, say)
    return Services(
        limits,
        data,
        state,
        SoundDevices(),
        planner,
        sessions,
        RunningGraph(planner.readable),
    )
