"""Converts the files of one job: ``python -m voicegraph.app.conversion_queue.worker FOLDER``.

It is the engine of ``voicegraph run`` with another display: the state is written to the folder a
few times a second. The process needs no server; it ends when the job does, or when it is cancelled.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from voicegraph.graph.errors import (
    InputError,
    OutputError,
    Problem,
    SignalError,
    VoicegraphError,
)
from voicegraph.graph.rate_limit import RateLimit
from voicegraph.schemas.file_job import JobFileStatus, JobStatus
from voicegraph.schemas.report import ProblemReport

from ..storage import FolderLock
from .job_folder import JobFolder
from .progress import JobProgress

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.schemas.file_report import FileReport

_OF_ONE_FILE = (InputError, OutputError, SignalError)
"""Errors of one file; any other error would occur again with the next file."""
_EVERY_S = 0.25
_LOCK_S = 10.0


class _CancelledError(BaseException):
    """The job was cancelled; no ``except Exception`` on the way may take it for a failure."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Converts a job; 0 if all went well, 1 if a file or the job failed or it was cancelled."""
    (folder,) = sys.argv[1:] if arguments is None else arguments
    job = JobFolder(Path(folder))
    lock = FolderLock(job.path)
    if not lock.take(_LOCK_S):
        return 1  # another process converts it
    try:
        return Worker(job).run()
    finally:
        lock.release()


class Worker:
    """Converts the files of a job, one after another.

    Args:
        job: the job; its lock is held.
    """

    def __init__(self, job: JobFolder) -> None:
        self._job = job
        self._request = job.request
        self._files = [JobFileStatus() for _ in self._request.files]
        self._progress = JobProgress([file.bytes for file in self._request.files], monotonic)
        self._limit = RateLimit(_EVERY_S)
        self._status = JobStatus(state="running", pid=os.getpid(), stage="starting")

    def run(self) -> int:
        """Converts all files, and writes how it went."""
        found = self._job.written_status()
        if found.state not in ("waiting", "running") or self._job.is_cancelled:
            return 1  # cancelled before it began
        self._write()
        try:
            self._convert_all()
        except _CancelledError:
            self._end("cancelled")
        except VoicegraphError as error:
            self._end("failed", _reports(error))
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            self._end("failed", _reports(VoicegraphError(Problem("internal", text))))
            raise  # for log.txt
        else:
            failed = any(file.state == "failed" for file in self._files)
            self._end("failed" if failed else "done")
        return int(self._status.state != "done")

    def _convert_all(self) -> None:
        from voicegraph.graph.startup_stages import report_stages

        with report_stages(self._show_stage):
            pipeline = self._load()
            self._measure()
            plans: dict[Any, Any] = {}
            for number in range(len(self._files)):
                self._check_cancelled()
                self._convert(number, pipeline, plans)

    def _load(self) -> Pipeline:
        from voicegraph.graph.pipeline import Pipeline

        request = self._request
        preset = self._job.path / request.source
        return Pipeline.load(
            preset if request.source.endswith(".yaml") else request.source,
            request.overrides,
            confined=request.confined,
        )

    def _measure(self) -> None:
        """Reads the lengths of all files, for progress and time left."""
        from voicegraph.graph.files.sound.reader import AudioReader

        lengths: list[float | None] = []
        for number in range(len(self._files)):
            try:
                with AudioReader(self._job.input_path(number)) as reader:
                    lengths.append(reader.seconds)
            except InputError:  # it is told when its turn comes
                lengths.append(0.0)
            self._change(number, seconds=lengths[-1] or None)
        self._progress.set_lengths(lengths)

    def _convert(self, number: int, pipeline: Pipeline, plans: dict[Any, Any]) -> None:
        from voicegraph.graph.files.sound.file_conversion import convert_file

        source, target = self._job.input_path(number), self._job.output_path(number)
        self._change(number, state="running")
        self._write()

        def show(done: float, total: float | None) -> None:
            self._status = self._status.model_copy(update={"stage": None})
            self._progress.set_done(number, done, total)
            self._check_cancelled()
            self._write_sometimes()

        try:
            report = convert_file(pipeline, source, target, progress=show, plans=plans)
        except _OF_ONE_FILE as error:
            names = {str(source): self._request.files[number].name, str(target): "the output"}
            self._change(number, state="failed", problems=_reports(error, names))
        else:
            notes = _notes(report, str(source), self._request.files[number].name)
            self._change(number, state="done", notes=notes, seconds=report.source.seconds)
        self._progress.finish(number)
        self._write()

    # ---- what others see

    def _show_stage(self, stage: str | None) -> None:
        self._status = self._status.model_copy(update={"stage": stage})
        self._check_cancelled()
        self._write_sometimes()

    def _check_cancelled(self) -> None:
        if self._job.is_cancelled:
            raise _CancelledError

    def _change(self, number: int, **update: Any) -> None:
        self._files[number] = self._files[number].model_copy(update=update)

    def _end(self, state: str, problems: Sequence[ProblemReport] = ()) -> None:
        if state == "cancelled" or problems:
            rest = "cancelled" if state == "cancelled" else "failed"
            for number, file in enumerate(self._files):
                if file.state in ("waiting", "running"):
                    self._change(number, state=rest)
        update = {"state": state, "stage": None, "problems": list(problems)}
        self._status = self._status.model_copy(update=update)
        self._write()

    def _write_sometimes(self) -> None:
        if self._limit.passes():
            self._write()

    def _write(self) -> None:
        running = self._status.state == "running"
        self._status = self._status.model_copy(
            update={
                "progress": self._progress.share,
                "left_s": self._progress.left_s if running else None,
                "files": list(self._files),
            }
        )
        self._job.write_status(self._status)


def _reports(error: VoicegraphError, names: dict[str, str] | None = None) -> list[ProblemReport]:
    """The problems of an error; stored files have the names that people know."""
    found: list[ProblemReport] = []
    for problem in error.problems:
        values: dict[str, Any] = problem.as_dict()
        for path, name in (names or {}).items():
            values["message"] = values["message"].replace(path, name)
            values["fix"] = values["fix"] and values["fix"].replace(path, name)
        found.append(ProblemReport.model_validate(values))
    return found


def _notes(report: FileReport, path: str, name: str) -> list[str]:
    notes = [note.replace(path, name) for note in report.notes]
    if report.clipped:
        notes.append(f"{report.clipped} samples were beyond full scale, and were clipped")
    if report.silenced_blocks:
        notes.append(f"{report.silenced_blocks} blocks were silenced")
    return notes


if __name__ == "__main__":
    sys.exit(main())
