"""The store: what is kept, what goes, and no state that is a lie."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from voicegraph.app.conversion_queue import JobFolder, JobLimits, JobStore
from voicegraph.app.conversion_queue.job_folder import GRACE_S
from voicegraph.app.storage import (
    BusyError,
    FolderLock,
    NotFoundError,
    StorageFullError,
    UnusableError,
)
from voicegraph.schemas.file_job import JobFileStatus, JobStatus

from .conftest import MakeJob


def _end(job: JobFolder, state: str = "done") -> None:
    job.write_status(JobStatus.model_validate({"state": state}))


def test_a_new_job_waits_and_knows_its_files(store: JobStore, make_job: MakeJob) -> None:
    made = make_job("album/a.wav", "b.wav", ("notes.txt", b"hello"))
    (job,) = store.jobs()
    assert (job.id, job.state, job.voice, job.progress) == (made.id, "waiting", "heart", 0.0)
    assert [(file.number, file.name, file.state) for file in job.files] == [
        (0, "album/a.wav", "waiting"), (1, "b.wav", "waiting"),
    ]  # fmt: skip
    assert job.skipped == 1
    assert sorted(path.name for path in (made.path / "in").iterdir()) == ["0000.wav", "0001.wav"]
    assert store.file(job.id, 0, "input")[1] == "album/a.wav"


def test_an_upload_without_sound_is_refused_and_leaves_nothing(
    store: JobStore, make_job: MakeJob
) -> None:
    with pytest.raises(UnusableError, match=r"no sound to convert: a\.txt"):
        make_job(("a.txt", b"hello"), ("b.wav", b""))
    assert list(store.folder.iterdir()) == []


@pytest.mark.parametrize(
    "job", ["", ".", "..", "../jobs", "a/b", "20260101-000000-0123456\0", "x" * 300]
)
def test_no_other_name_is_a_job(store: JobStore, make_job: MakeJob, job: str) -> None:
    make_job()
    with pytest.raises(NotFoundError):
        store.find(job)


def test_files_that_are_not_there_are_not_found(store: JobStore, make_job: MakeJob) -> None:
    job = make_job()
    for number, side in ((1, "input"), (-1, "input"), (0, "output")):
        with pytest.raises(NotFoundError):
            store.file(job.id, number, side)  # pyright: ignore[reportArgumentType]


def test_a_job_whose_process_died_has_failed(store: JobStore, make_job: MakeJob) -> None:
    job = make_job("a.wav", "b.wav")
    files = [JobFileStatus(state="done"), JobFileStatus(state="running")]
    lock = FolderLock(job.path)
    assert lock.take()
    job.write_status(JobStatus(state="running", pid=os.getpid(), files=files))
    part = job.path / "out" / ".voicegraph-0123.part"
    part.parent.mkdir()
    part.touch()
    assert store.jobs()[0].state == "running"
    lock.release()
    told = store.jobs()[0]
    assert told.state == "failed"
    assert [problem.code for problem in told.problems] == ["job-process-ended"]
    assert [file.state for file in told.files] == ["done", "failed"]
    assert part.exists()
    store.tidy()
    assert not part.exists()
    assert job.written_status().state == "failed"


def test_a_waiting_job_is_cancelled_then_removed(store: JobStore, make_job: MakeJob) -> None:
    job = make_job("a.wav", "b.wav")
    cancelled = store.cancel_or_remove(job.id)
    assert cancelled.state == "cancelled"
    assert {file.state for file in cancelled.files} == {"cancelled"}
    assert store.cancel_or_remove(job.id).state == "cancelled"
    assert list(store.folder.iterdir()) == []


def test_a_job_begins_unless_it_was_cancelled(store: JobStore, make_job: MakeJob) -> None:
    first, second = make_job(), make_job()
    assert store.begin(first)
    assert first.status().state == "running"
    assert not store.begin(first)
    second.cancel()
    assert not store.begin(second)
    assert second.status().state == "cancelled"


def test_a_job_whose_process_only_starts_is_cancelled_at_once(
    store: JobStore, make_job: MakeJob
) -> None:
    job = make_job()
    assert store.begin(job)
    begun = time.monotonic()
    assert store.cancel_or_remove(job.id).state == "cancelled"
    assert time.monotonic() - begun < GRACE_S


def test_the_oldest_that_have_ended_make_room(store: JobStore, make_job: MakeJob) -> None:
    waiting, ended, *_ = [make_job() for _ in range(4)]
    _end(ended)
    newest = make_job()
    assert waiting.path.exists()
    assert not ended.path.exists()
    with pytest.raises(BusyError, match="4 are kept at most"):
        make_job()
    _end(newest, "failed")
    make_job()
    assert not newest.path.exists()


def test_jobs_take_no_more_than_is_granted(store: JobStore, make_job: MakeJob) -> None:
    first = make_job()
    store.limits = JobLimits(jobs=4, bytes=15_000)
    with pytest.raises(StorageFullError, match="may take together"):
        make_job()
    _end(first)
    make_job()
    assert not first.path.exists()


def test_old_jobs_and_litter_go(store: JobStore, make_job: MakeJob) -> None:
    old, waiting, new = make_job(), make_job(), make_job()
    _end(old)
    _end(new)
    for job in (old, waiting):
        created = datetime.now(UTC) - timedelta(days=31)
        request = job.request.model_copy(update={"created": created})
        (job.path / "request.json").write_text(request.model_dump_json(), encoding="utf-8")
    for litter in (".upload-killed", ".trash-0123"):
        (store.folder / litter).mkdir()
    JobStore(store.folder, store.limits).tidy()
    left = {path.name for path in store.folder.iterdir()}
    assert left == {waiting.id, new.id}


def test_a_request_of_another_version_is_no_job(store: JobStore, make_job: MakeJob) -> None:
    job = make_job()
    Path(job.path / "request.json").write_text('{"kind": "voicegraph-job-9"}', encoding="utf-8")
    assert store.jobs() == []
