"""Conversion of files: what a page asks for becomes a job, in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from voicegraph.app.background import start_background
from voicegraph.app.control.error_responses import invalid
from voicegraph.app.conversion_queue import JobLimits, JobRunner, JobStore, NewJob
from voicegraph.app.conversion_queue.job_store import SUFFIXES
from voicegraph.app.conversion_queue.runner import Start
from voicegraph.app.storage import (
    ConflictError,
    InvalidUploadError,
    UploadRule,
    UploadSlots,
    receive_upload,
)
from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.voice_library import entries, item_of, require
from voicegraph.schemas.app import AppLimits, Job, JobSettings
from voicegraph.schemas.voice_library import LibraryItem

from ._problems import problems_of
from .presets import Presets


class Jobs:
    """The jobs of the page server.

    Args:
        limits: what uploads may take, and how much is kept.
        folder: of the jobs.
        library: the folder of voices.
        presets: the presets that a job may use.
        slots: places for uploads.
        start: starts the process of a job.
    """

    def __init__(
        self,
        limits: AppLimits,
        folder: Path,
        library: Path,
        presets: Presets,
        slots: UploadSlots,
        start: Start = start_background,
    ) -> None:
        self._limits = limits
        self._library = library
        self._presets = presets
        self._slots = slots
        kept = JobLimits(limits.jobs, limits.jobs_bytes, limits.job_days)
        self.store = JobStore(folder, kept)
        self._runner = JobRunner(self.store, start)

    def start(self) -> None:
        """Goes on with jobs that wait since the last server."""
        self._runner.start()

    def close(self) -> None:
        """Starts no more jobs; one that runs goes on."""
        self._runner.close()

    def list(self) -> list[Job]:
        """All jobs, the newest first."""
        return self.store.jobs()

    def job(self, job: str) -> Job:
        """A job by its id.

        Raises:
            NotFoundError: if there is none.
        """
        return self.store.find(job).report()

    def file(self, job: str, number: int, side: Literal["input", "output"]) -> tuple[Path, str]:
        """A file of a job, and its name for people.

        Raises:
            NotFoundError: if there is none.
        """
        return self.store.file(job, number, side)

    def results(self, job: str) -> tuple[str, list[tuple[str, Path]]]:
        """Name of an archive of all converted files, and these with their names in it.

        The names are possible on every system, and keep the folders of the originals.

        Raises:
            NotFoundError: if there is no such job, or nothing of it is converted.
        """
        return self.store.results(job)

    def cancel_or_remove(self, job: str) -> Job:
        """Cancels a job, or removes it if it has ended; takes some seconds if it has to be killed.

        Raises:
            NotFoundError: if there is none.
        """
        return self.store.cancel_or_remove(job)

    async def create(self, stream: AsyncIterator[bytes], content_type: str) -> Job:
        """Receives files, and starts to convert them when their turn comes.

        Raises:
            VoicegraphError: if the upload is refused, or asks for what there is not.
        """
        rule = UploadRule(
            files=("files",),
            texts=("settings",),
            most_bytes=self._limits.upload_bytes,
            most_files=self._limits.upload_files,
            idle_s=self._limits.upload_idle_s,
            reserve_bytes=self._limits.reserve_bytes,
            suffixes=SUFFIXES,
        )
        async with self._slots.taken(stream) as paced:
            with self.store.new_upload() as folder:
                upload = await receive_upload(paced, content_type, folder, rule)
                new = self.planned(_settings(upload.texts.get("settings")))
                job = await asyncio.to_thread(self.store.create, folder, upload.files, new)
        self._runner.wake()
        return job.report()

    def planned(self, settings: JobSettings) -> NewJob:
        """What a job does with these settings.

        Raises:
            ConflictError: if there is no such voice or preset, or the voice lacks something.
        """
        item = _speaking(settings.voice)
        overrides = voice_overrides(item)
        preset = None
        name = source = item.pipelines[0 if settings.quality == "live" else -1]
        if settings.preset is not None:
            preset = self._presets.path(settings.preset).read_text(encoding="utf-8")
            name = settings.preset
        return NewJob(
            voice=item.name,
            pipeline=name,
            source=source,
            overrides={**overrides, **settings.overrides},
            confined=[self._library],
            format=settings.format,
            preset=preset,
        )


def voice_overrides(item: LibraryItem) -> dict[str, Any]:
    """Overrides by which a pipeline speaks with a voice of the library."""
    found: dict[str, Any] = {"vars.voice": item.model}
    if item.card.kind == "rvc":
        found["vars.index"] = item.index
        found["assets.hubert"] = item.encoder
    return {**found, **item.settings}


def _settings(text: str | None) -> JobSettings:
    if text is None:
        fix = 'settings={"voice": "heart"}'
        raise InvalidUploadError(Problem("missing", "the part `settings` is missing", fix=fix))
    try:
        return JobSettings.model_validate_json(text)
    except ValidationError as error:
        raise invalid(error) from None


def _speaking(voice: str) -> LibraryItem:
    try:
        item = item_of(require(voice), entries())
    except InputError as error:
        raise ConflictError(error.problems) from None
    if item.needs:
        raise ConflictError(problems_of(item.needs))
    if not item.pipelines:
        raise ConflictError(Problem("no-voice", f"{voice} is no voice"))
    return item
