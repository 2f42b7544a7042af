"""The jobs in the user's data folder: made of uploads, listed, cancelled, removed, aged out."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.files.atomic_write import write_text
from voicegraph.graph.files.sound.folder_contents import Content, content_of
from voicegraph.graph.files.sound.formats import CONVERTIBLE, READABLE
from voicegraph.schemas.app import Job
from voicegraph.schemas.file_job import JobInput, JobRequest, JobStatus

from ..storage import (
    BusyError,
    NotFoundError,
    ReceivedFile,
    StorageFullError,
    UnusableError,
    archive_names,
    remove_folder,
    size_of,
)
from ..storage.folder_size import empty_trash
from ..storage.upload import remove_torn_uploads, upload_folder
from .job_folder import PRESET, JobFolder, is_job_id

SUFFIXES = READABLE | CONVERTIBLE
"""Endings that uploaded files keep; some formats are told by them."""
_ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class JobLimits:
    """How much is kept.

    Attributes:
        jobs: jobs, at most.
        bytes: size of all jobs together.
        days: age at which a job that has ended is removed.
    """

    jobs: int = 32
    bytes: int = 20 << 30
    days: float = 30.0


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is asked of a job.

    Attributes:
        voice: name in the library.
        pipeline: its name for people.
        source: name of a bundled pipeline; not used with ``preset``.
        overrides: dotted path -> value.
        confined: folders in which the pipeline may read files.
        format: of the outputs.
        preset: text of a preset.
    """

    voice: str
    pipeline: str
    source: str
    overrides: Mapping[str, Any]
    confined: Sequence[Path]
    format: Literal["wav", "flac"] = "wav"
    preset: str | None = None


@dataclass(slots=True)
class JobStore:
    """The jobs below a folder.

    Attributes:
        folder: has one folder for each job.
        limits: how much is kept.
    """

    folder: Path
    limits: JobLimits = field(default_factory=JobLimits)
    _changing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def new_upload(self) -> Iterator[Path]:
        """A folder to receive files into; it goes at the end of the block, or becomes a job."""
        with upload_folder(self.folder) as folder:
            yield folder

    def create(self, upload: Path, files: Sequence[ReceivedFile], new: NewJob) -> JobFolder:
        """Makes a job of an upload; files that are no sound are not kept.

        Args:
            upload: the folder of :meth:`new_upload` that has the files.
            files: what was received.
            new: what to do with them.

        Raises:
            UnusableError: if no file is sound.
            BusyError: if there are as many unfinished jobs as may be kept.
            StorageFullError: if the unfinished jobs and this one take more than may be kept.
        """
        kept = _only_sound(files)
        self._make_room(sum(file.bytes for file in kept))
        inputs = upload / "in"
        inputs.mkdir(mode=0o700)
        stored: list[JobInput] = []
        for number, file in enumerate(kept):
            name = f"{number:04d}{file.path.suffix}"
            file.path.rename(inputs / name)
            stored.append(JobInput(name=file.name, stored=name, bytes=file.bytes))
        if new.preset is not None:
            write_text(upload / PRESET, new.preset)
        request = JobRequest(
            created=datetime.now(UTC),
            voice=new.voice,
            pipeline=new.pipeline,
            source=PRESET if new.preset is not None else new.source,
            overrides=dict(new.overrides),
            confined=list(new.confined),
            format=new.format,
            skipped=len(files) - len(kept),
            files=stored,
        )
        write_text(upload / "request.json", request.model_dump_json())
        return self._named(upload, request.created)

    def _named(self, upload: Path, created: datetime) -> JobFolder:
        """Gives the folder of an upload its name as a job."""
        name = f"{created:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        return JobFolder(upload.rename(self.folder / name))

    # ---- what there is

    def folders(self) -> list[JobFolder]:
        """All jobs, the oldest first."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return []
        found = [JobFolder(self.folder / name) for name in names if is_job_id(name)]
        readable = [job for job in found if _is_readable(job)]
        return sorted(readable, key=lambda job: (job.request.created, job.id))

    def jobs(self) -> list[Job]:
        """All jobs as clients see them, the newest first."""
        found: list[Job] = []
        for folder in reversed(self.folders()):
            with suppress(OSError):  # removed in this moment
                found.append(folder.report())
        return found

    def find(self, job: str) -> JobFolder:
        """The job of an id.

        Raises:
            NotFoundError: if there is none.
        """
        if is_job_id(job):
            found = JobFolder(self.folder / job)
            if _is_readable(found):
                return found
        text = f"there is no job {job[:60]!r}"
        raise NotFoundError(Problem("no-such-job", text, fix="GET /api/jobs lists all"))

    def file(self, job: str, number: int, side: Literal["input", "output"]) -> tuple[Path, str]:
        """A file of a job, and its name for people.

        Raises:
            NotFoundError: if there is no such job or file, or it is not converted yet.
        """
        folder = self.find(job)
        files = folder.request.files
        if not 0 <= number < len(files):
            text = f"job {job} has {len(files)} files, and none with the number {number}"
            raise NotFoundError(Problem("no-such-file", text, fix="the first one is 0"))
        name = files[number].name
        if side == "input":
            return folder.input_path(number), name
        path = folder.output_path(number)
        if not path.is_file():
            text = f"{name} of job {job} is not converted"
            raise NotFoundError(Problem("not-converted", text, fix="see its state"))
        return path, f"{_stem(name)}{path.suffix}"

    def results(self, job: str) -> tuple[str, list[tuple[str, Path]]]:
        """Name of an archive of all converted files, and these with their names in it.

        Raises:
            NotFoundError: if there is no such job, or nothing of it is converted.
        """
        folder = self.find(job)
        request = folder.request
        found = [
            (file.name, path)
            for number, file in enumerate(request.files)
            if (path := folder.output_path(number)).is_file()  # it exists when it is complete
        ]
        if not found:
            text = f"nothing of job {job} is converted yet"
            raise NotFoundError(Problem("not-converted", text, fix="see its state"))
        names = archive_names(f"{_stem(name)}.{request.format}" for name, _ in found)
        archive = f"{request.voice}-{request.created:%Y-%m-%d_%H-%M-%S}.zip"
        return archive, list(zip(names, (path for _, path in found), strict=True))

    # ---- what begins

    def begin(self, folder: JobFolder) -> bool:
        """Writes that a job's process starts; False if the job does not wait, or was cancelled.

        Raises:
            OutputError: if the disk is full, or the folder is gone.
        """
        with self._changing:
            if folder.is_cancelled or folder.status().state != "waiting":
                return False
            folder.write_status(JobStatus(state="running", stage="starting"))
            return True

    # ---- what goes

    def cancel_or_remove(self, job: str) -> Job:
        """Cancels a job that has not ended; removes one that has. Its last state."""
        folder = self.find(job)
        with self._changing:  # from here on it does not begin
            ended = folder.status().state in _ENDED
            if not ended:
                folder.ask_to_cancel()
        if not ended:
            folder.cancel()
            return folder.report()
        folder.settle()
        last = folder.report()
        self._remove(folder)
        return last

    def tidy(self) -> None:
        """Removes what is too old or too much, and what killed servers and jobs left behind."""
        empty_trash(self.folder)
        remove_torn_uploads(self.folder)
        for folder in self.folders():
            folder.settle()
        with suppress(VoicegraphError):
            self._make_room(0, more=0)

    def _make_room(self, size: int, more: int = 1) -> None:
        """Removes the oldest jobs that have ended until another one fits.

        Raises:
            BusyError: if there are too many that have not ended.
            StorageFullError: if those are too large.
        """
        oldest = datetime.now(UTC) - timedelta(days=self.limits.days)
        kept: list[tuple[JobFolder, int]] = []
        for folder in self.folders():
            ended = folder.status().state in _ENDED
            if ended and folder.request.created < oldest:
                self._remove(folder)
            else:
                kept.append((folder, size_of(folder.path)))
        for folder, taken in list(kept):
            total = size + sum(taken for _, taken in kept)
            if len(kept) + more <= self.limits.jobs and total <= self.limits.bytes:
                return
            if folder.status().state in _ENDED:
                self._remove(folder)
                kept.remove((folder, taken))
        self._require_room(len(kept) + more, size + sum(taken for _, taken in kept))

    def _require_room(self, jobs: int, total: int) -> None:
        if jobs > self.limits.jobs:
            text = f"{jobs - 1} jobs wait or run; {self.limits.jobs} are kept at most"
            raise BusyError(Problem("too-many-jobs", text, fix="wait, or cancel one"))
        if total > self.limits.bytes:
            text = (
                f"the jobs take {total / (1 << 30):.1f} GiB with this one, of "
                f"{self.limits.bytes / (1 << 30):g} GiB that they may take together"
            )
            raise StorageFullError(Problem("jobs-full", text, fix="cancel or remove some"))

    def _remove(self, folder: JobFolder) -> None:
        with suppress(OSError):  # a file of it is open on Windows: it goes later
            remove_folder(folder.path)


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _is_readable(folder: JobFolder) -> bool:
    try:
        _ = folder.request
    except (OSError, ValidationError):
        return False
    return True


def _only_sound(files: Sequence[ReceivedFile]) -> list[ReceivedFile]:
    """The files that are sound, or sound that another program can read; the others are removed.

    Raises:
        UnusableError: if none is.
    """
    kept: list[ReceivedFile] = []
    for file in files:
        if file.bytes and content_of(file.path) is not Content.OTHER:
            kept.append(file)
        else:
            file.path.unlink()
    if not kept:
        names = ", ".join(file.name for file in files[:3]) or "no file came"
        text = f"there is no sound to convert: {names}"
        fix = "send WAV, FLAC, MP3, Ogg, Opus or AIFF files"
        raise UnusableError(Problem("no-audio", text, fix=fix))
    return kept
