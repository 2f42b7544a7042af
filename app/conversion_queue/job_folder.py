"""One job on the disk: its files, what was asked, and its state without a lie.

``in/`` has the uploaded files and ``out/`` the converted ones, under numbers. ``cancel`` asks the
process to stop. A state that says that a process works counts only while the lock is held.
"""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from voicegraph.graph.errors import Problem
from voicegraph.graph.files.atomic_write import write_text
from voicegraph.schemas.app import Job, JobFile
from voicegraph.schemas.file_job import JobFileStatus, JobRequest, JobStatus
from voicegraph.schemas.report import ProblemReport

from ..storage import is_locked

_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}", re.ASCII)
_START_S = 30.0
"""How long a process may take from its start until it holds the lock: Python has to begin."""
GRACE_S = 3.0
"""How long a process that is asked to stop may take until it is killed."""
_ENDED = ("done", "failed", "cancelled")
PRESET = "preset.yaml"
"""The preset that a job was given, as it was then."""


def is_job_id(text: str) -> bool:
    """Whether a text can be a job's id, which is the name of its folder."""
    return _ID.fullmatch(text) is not None


class JobFolder:
    """A job's folder.

    Args:
        path: the folder; its name is the job's id.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._request: JobRequest | None = None

    @property
    def id(self) -> str:
        """The job's id."""
        return self.path.name

    # ---- what it consists of

    @property
    def request(self) -> JobRequest:
        """What was asked.

        Raises:
            OSError: if the folder is gone.
            ValidationError: if it is of another version.
        """
        if self._request is None:
            text = (self.path / "request.json").read_text(encoding="utf-8")
            self._request = JobRequest.model_validate_json(text)
        return self._request

    def input_path(self, number: int) -> Path:
        """The uploaded file of a number."""
        return self.path / "in" / self.request.files[number].stored

    def output_path(self, number: int) -> Path:
        """The converted file of a number; it exists when it is complete."""
        return self.path / "out" / f"{number:04d}.{self.request.format}"

    def written_status(self) -> JobStatus:
        """The state as it was written last."""
        for _ in range(3):  # on Windows, a file that is being replaced cannot be opened
            try:
                text = (self.path / "status.json").read_text(encoding="utf-8")
                return JobStatus.model_validate_json(text)
            except FileNotFoundError:
                return JobStatus()
            except (PermissionError, ValidationError):
                time.sleep(0.02)
        return JobStatus()

    def write_status(self, status: JobStatus) -> None:
        """Replaces the written state.

        Raises:
            OutputError: if the disk is full, or the folder is gone.
        """
        path = self.path / "status.json"
        write_text(path, status.model_dump_json(), force=True, durable=False)

    def write_failure(self, problem: Problem) -> None:
        """Writes that the job has failed as a whole.

        Raises:
            OutputError: if the disk is full, or the folder is gone.
        """
        self.write_status(self._failed(self.written_status(), problem))

    # ---- its state

    def status(self) -> JobStatus:
        """The state: as written, unless a process that it tells of is gone."""
        found = self.written_status()
        if found.state != "running" or is_locked(self.path) or self._just_started(found):
            return found
        found = self.written_status()  # it may have ended between the two looks
        return self._died(found) if found.state == "running" else found

    def _just_started(self, status: JobStatus) -> bool:
        if status.pid is not None:
            return False
        with suppress(OSError):
            age = time.time() - (self.path / "status.json").stat().st_mtime
            return 0 <= age < _START_S
        return False

    def _died(self, status: JobStatus) -> JobStatus:
        """The state of a job whose process ended without a word."""
        problem = Problem(
            "job-process-ended",
            "the process that converted the files has ended before it was done; the files that "
            "it had finished are kept",
            fix="convert the files again; if it happens twice, see log.txt in the job's folder",
        )
        return self._failed(status, problem)

    def _failed(self, status: JobStatus, problem: Problem) -> JobStatus:
        files = [
            file if file.state in _ENDED else file.model_copy(update={"state": "failed"})
            for file in self._all_files(status)
        ]
        problems = [*status.problems, ProblemReport.model_validate(problem.as_dict())]
        update = {"state": "failed", "left_s": None, "stage": None, "files": files}
        return status.model_copy(update={**update, "problems": problems})

    def _all_files(self, status: JobStatus) -> list[JobFileStatus]:
        """The states of all files: those before the process has written any, too."""
        rest = len(self.request.files) - len(status.files)
        return [*status.files, *([JobFileStatus()] * rest)]

    def settle(self) -> JobStatus:
        """Writes the state of a job whose process has died, and removes what it left half done."""
        found = self.status()
        if found.state in _ENDED and self.written_status().state == "running":
            for part in (self.path / "out").glob(".voicegraph-*.part"):
                part.unlink(missing_ok=True)
            self.write_status(found)
        return found

    def report(self) -> Job:
        """The job as clients see it."""
        request, status = self.request, self.status()
        states = self._all_files(status)
        return Job(
            id=self.id,
            state=status.state,
            stage=status.stage,
            voice=request.voice,
            pipeline=request.pipeline,
            created=request.created,
            progress=status.progress,
            left_s=status.left_s,
            skipped=request.skipped,
            files=[
                JobFile(
                    number=number,
                    name=file.name,
                    state=state.state,
                    seconds=state.seconds,
                    problems=state.problems,
                    notes=state.notes,
                )
                for number, (file, state) in enumerate(zip(request.files, states, strict=True))
            ],
            problems=status.problems,
        )

    # ---- cancelling

    def ask_to_cancel(self) -> None:
        """Asks the job's process to stop; it looks several times a second."""
        (self.path / "cancel").touch()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has asked so."""
        return (self.path / "cancel").exists()

    def cancel(self) -> JobStatus:
        """Cancels the job; files that are finished stay. Waits until its process is gone.

        A process that does not stop by itself, because it loads or hangs, is killed. One that does
        not hold the lock yet finds the request when it does, and ends.
        """
        self.ask_to_cancel()
        waited = 0.0
        while is_locked(self.path) and waited < 2 * GRACE_S:
            if waited >= GRACE_S:
                self._kill()
            time.sleep(0.1)
            waited += 0.1
        found = self.settle()
        if found.state in ("done", "cancelled"):
            return found
        files = [
            file if file.state in ("done", "failed") and not _by_death(found) else _cancelled(file)
            for file in self._all_files(found)
        ]
        found = found.model_copy(
            update={"state": "cancelled", "files": files, "problems": [], "left_s": None}
        )
        self.write_status(found)
        return found

    def _kill(self) -> None:
        pid = self.written_status().pid
        if pid is not None and is_locked(self.path):  # so it is the process that wrote its number
            with suppress(OSError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _by_death(status: JobStatus) -> bool:
    return any(problem.code == "job-process-ended" for problem in status.problems)


def _cancelled(file: JobFileStatus) -> JobFileStatus:
    return file if file.state == "done" else file.model_copy(update={"state": "cancelled"})
