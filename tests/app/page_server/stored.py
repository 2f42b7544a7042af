"""A user's data folder with one of everything, and services that start no processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import soundfile

from voicegraph.app.background import CommandResult, CommandRunner
from voicegraph.app.page_server.services.experiment_pages import ExperimentPages
from voicegraph.app.page_server.services.jobs import Jobs
from voicegraph.app.page_server.services.presets import Presets
from voicegraph.app.page_server.services.services import Services
from voicegraph.app.page_server.services.takes import Takes
from voicegraph.app.page_server.services.voices import Voices
from voicegraph.app.storage import ReceivedFile, UploadSlots
from voicegraph.graph.errors import Problem
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.schemas.app import AppLimits, JobSettings
from voicegraph.schemas.file_job import JobFileStatus, JobStatus
from voicegraph.schemas.report import ProblemReport

from .conftest import services_here

TAKE = "2026-11-29_12-00-01"
PRESET = "Deep voice"
EXPERIMENT = "trackers"
PRESET_TEXT = "extends: default-live\ndescription: deeper\nvars: {voice: heart}\n"


class FakeCommands(CommandRunner):
    """Answers in place of processes; without an answer every command but ``check`` fails.

    Attributes:
        asked: the arguments of all calls.
        results: what the next calls answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, ...]] = []
        self.results: list[CommandResult] = []

    async def run(self, *arguments: str) -> CommandResult:
        self.asked.append(arguments)
        if self.results:
            return self.results.pop(0)
        if arguments[0] == "check":
            return CommandResult(0, {"pipelines": []})
        return CommandResult(3, None, (report_of("no-voice", f"{arguments[-1]} is no voice"),))


def report_of(code: str, message: str = "it cannot be used") -> ProblemReport:
    """A problem that a command reports."""
    return ProblemReport.model_validate(Problem(code, message, fix="another one").as_dict())


class _Loading:
    """In place of a job's process: one that begins, and comes no further."""

    def poll(self) -> None:
        return None


def _no_process(arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    return cast("subprocess.Popen[bytes]", _Loading())


def stored_services(folder: Path, commands: CommandRunner, **limits: Any) -> Services:
    """Services over the folders that the variables name, which start no processes.

    Args:
        folder: has the folder ``results`` with the runs of experiments.
        commands: runs commands.
        limits: of ``AppLimits``.
    """
    granted = AppLimits(**{"reserve_bytes": 0, **limits})
    real = services_here(granted, lambda _: None)
    slots, library, data = UploadSlots(granted.uploads), real.data / "voices", real.data
    presets = Presets(data / "presets", library, commands)
    return replace(
        real,
        voices=Voices(granted, data / "uploads", slots, commands),
        presets=presets,
        takes=Takes(data / "takes", commands),
        jobs=Jobs(granted, data / "jobs", library, presets, slots, _no_process),
        experiments=ExperimentPages((folder / "results",)),
        commands=(commands,),
    )


def store_take(data: Path, name: str = TAKE) -> np.ndarray:
    """Records a take of 0.5 s; its input."""
    (data / "takes").mkdir(parents=True, exist_ok=True)
    pipeline = Pipeline(
        block="10ms", nodes={"half": node("dsp.gain", "input", db=-6)}, output="half"
    )
    sound = np.linspace(-0.5, 0.5, 24000, dtype=np.float32)
    with pipeline.session(record=data / "takes" / f"{name}.jsonl", warm_up=False) as session:
        session.push(sound)
    return sound


def store_preset(data: Path, name: str = PRESET, text: str = PRESET_TEXT) -> None:
    """Writes a preset."""
    (data / "presets").mkdir(parents=True, exist_ok=True)
    (data / "presets" / f"{name}.yaml").write_text(text, encoding="utf-8")


def store_run(results: Path, name: str = EXPERIMENT, **manifest: Any) -> Path:
    """Writes the folder of a finished run."""
    run = results / name
    run.mkdir(parents=True)
    head = {"name": name, "title": "Trackers", "finished": "2026-11-29T10:00:00+00:00", **manifest}
    (run / "manifest.json").write_text(json.dumps(head), encoding="utf-8")
    (run / "report.html").write_text("<!doctype html><title>Trackers</title>", encoding="utf-8")
    return run


def store_job(services: Services, upload: Path) -> str:
    """Makes a job of one file that is done; its id."""
    time = np.arange(8000) / 16000
    upload.mkdir(parents=True)
    soundfile.write(upload / "0000.wav", 0.3 * np.sin(6.28 * 220 * time), 16000)
    size = (upload / "0000.wav").stat().st_size
    new = services.jobs.planned(JobSettings(voice="heart"))
    services.jobs.store.folder.mkdir(parents=True, exist_ok=True)
    received = [ReceivedFile("songs/a.wav", upload / "0000.wav", size)]
    job = services.jobs.store.create(upload, received, new)
    target = job.output_path(0)
    target.parent.mkdir()
    soundfile.write(target, 0.1 * np.sin(6.28 * 220 * time), 16000)
    done = JobFileStatus(state="done", seconds=0.5)
    job.write_status(JobStatus(state="done", progress=1.0, files=[done]))
    return job.id
