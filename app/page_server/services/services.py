"""All services of the page server, made at its start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from voicegraph.app.background import CommandRunner
from voicegraph.app.storage import UploadSlots
from voicegraph.graph.files.user_folders import data_folder, state_folder
from voicegraph.graph.files.voice_library import library_folder
from voicegraph.schemas.app import AppLimits

from .experiment_pages import ExperimentPages
from .jobs import Jobs
from .latency_measurements import LatencyMeasurements
from .live_sessions import LiveSessions
from .planner import Planner, planning_process
from .presets import Presets
from .session_files import SessionFolder
from .session_process import live_command
from .sound_devices import SoundDevices
from .takes import Takes
from .voices import Voices

_SLOW_S = 3600.0
"""How long adding a voice or replaying a take may take."""


@dataclass(frozen=True)
class Services:
    """What routes get as ``CurrentServices``; a topic adds its own as a field.

    Attributes:
        limits: what clients may take.
        data: the folder of voices, presets, takes and jobs.
        state: the folder of notes about running programs.
        devices: lists sound devices and watches inputs.
        planner: turns what a page asks for into a session, describes and checks what it runs.
        sessions: the live session.
        voices: the library of voices.
        presets: pipeline files that extend a bundled one.
        takes: recordings of sessions.
        jobs: conversion of files.
        experiments: pages of finished experiments.
        latency: measures the delay from microphone to loudspeaker.
        commands: run commands in processes of their own; the first is for quick ones.
    """

    limits: AppLimits
    data: Path
    state: Path
    devices: SoundDevices
    planner: Planner
    sessions: LiveSessions
    voices: Voices
    presets: Presets
    takes: Takes
    jobs: Jobs
    experiments: ExperimentPages
    latency: LatencyMeasurements
    commands: tuple[CommandRunner, ...]

    def start(self) -> None:
        """Goes on with what an earlier server has left waiting; gets the planner ready."""
        self.jobs.start()
        self.planner.start()

    def close(self) -> None:
        """Ends what must not outlive the server; live sessions and conversion jobs go on.

        Requests that need it are refused from now on.
        """
        for runner in self.commands:
            runner.close()
        self.planner.close()
        self.jobs.close()


def open_services(limits: AppLimits, say: Callable[[str], None]) -> Services:
    """The services over the user's own folders.

    Args:
        limits: what clients may take.
        say: receives messages about faults.
    """
    data, state = data_folder(), state_folder()
    library, quick, slow = library_folder(), CommandRunner(), CommandRunner(_SLOW_S)
    timed = CommandRunner(most_waiting=0, nice=0)
    readable = (library, data / "presets")
    command_line = partial(live_command, readable=readable, takes=data / "takes")
    sessions = LiveSessions(SessionFolder(state / "app"), command_line, say)
    slots = UploadSlots(limits.uploads, limits.upload_bytes_s, lambda: sessions.shedding.share)
    presets = Presets(data / "presets", library, quick)
    jobs = Jobs(limits, data / "jobs", library, presets, slots)
    planner = Planner(planning_process(*readable))
    return Services(
        limits,
        data,
        state,
        SoundDevices(),
        planner,
        sessions,
        Voices(limits, data / "uploads", slots, slow),
        presets,
        Takes(data / "takes", slow),
        jobs,
        ExperimentPages((Path.cwd() / "results", data / "experiments")),
        LatencyMeasurements(sessions, planner, timed),
        (quick, slow, timed),
    )
