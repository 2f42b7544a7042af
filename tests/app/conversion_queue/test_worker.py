"""The worker: the engine of ``run``, a state that others can follow, cancelling, failures."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from voicegraph.app.background.process import python_command
from voicegraph.app.conversion_queue import JobFolder, JobRunner, JobStore
from voicegraph.app.conversion_queue.runner import worker_arguments
from voicegraph.app.conversion_queue.worker import main
from voicegraph.app.storage import is_locked
from voicegraph.schemas.file_job import JobStatus

from .conftest import HALF, MakeJob, sound

LONG_S = 120


def _started(job: JobFolder) -> subprocess.Popen[bytes]:
    return subprocess.Popen(python_command(worker_arguments(job)), stderr=subprocess.DEVNULL)


def _wait_until_converting(job: JobFolder) -> None:
    for _ in range(2400):
        if job.status().progress > 0.01:  # the short one is done
            return
        time.sleep(0.05)
    pytest.fail(f"it did not begin: {job.status()}")


@pytest.fixture
def long_job(make_job: MakeJob) -> JobFolder:
    """A job of a short and a long file; the block is short, so that it takes its time."""
    job = make_job("short.wav", "long.wav", text=HALF.replace("10ms", "1ms"))
    sound(job.input_path(1), LONG_S, 48000)
    return job


def test_files_are_converted_and_those_that_fail_are_told(
    store: JobStore, make_job: MakeJob
) -> None:
    job = make_job("a.wav", ("torn.wav", b"RIFF\0\0\0\0WAVEfmt "), "b.wav", format="flac")
    assert main([str(job.path)]) == 1
    told = store.jobs()[0]
    assert (told.state, told.progress, told.problems) == ("failed", 1.0, [])
    assert [file.state for file in told.files] == ["done", "failed", "done"]
    (problem,) = told.files[1].problems
    assert "torn.wav" in problem.message
    assert str(job.path) not in problem.message
    assert told.files[0].seconds == pytest.approx(0.3)
    path, name = store.file(job.id, 2, "output")
    assert name == "b.flac"
    assert soundfile.info(path).frames == 14400
    assert not is_locked(job.path)


def test_a_wrong_pipeline_fails_the_job_as_a_whole(store: JobStore, make_job: MakeJob) -> None:
    job = make_job(text="extends: /etc/passwd.yaml\n")
    assert main([str(job.path)]) == 1
    told = store.jobs()[0]
    assert [problem.code for problem in told.problems] == ["outside-confinement"]
    assert {file.state for file in told.files} == {"failed"}


def test_a_job_that_was_cancelled_before_it_began_stays_so(make_job: MakeJob) -> None:
    told, asked = make_job(), make_job()
    told.cancel()
    asked.ask_to_cancel()
    for job in (told, asked):
        before = job.written_status()
        assert main([str(job.path)]) == 1
        assert job.written_status() == before
        assert not job.output_path(0).exists()


def test_a_job_that_was_removed_before_its_process_began_does_not_come_back(
    store: JobStore, make_job: MakeJob
) -> None:
    job = make_job()
    assert store.begin(job)
    for _ in range(2):
        store.cancel_or_remove(job.id)
    assert main([str(job.path)]) == 1
    assert not job.path.exists()


def test_cancelling_keeps_what_is_finished_and_no_part(long_job: JobFolder) -> None:
    process = _started(long_job)
    _wait_until_converting(long_job)
    long_job.cancel()
    assert process.wait(60) == 1
    status = long_job.status()
    assert (status.state, status.problems) == ("cancelled", [])
    assert status.files[1].state == "cancelled"
    assert not list((long_job.path / "out").glob(".*"))


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be stopped there")
def test_a_job_that_hangs_is_killed_when_it_is_cancelled(long_job: JobFolder) -> None:
    process = _started(long_job)
    _wait_until_converting(long_job)
    os.kill(process.pid, signal.SIGSTOP)
    long_job.cancel()
    assert process.wait(60) == -signal.SIGKILL
    assert long_job.status().state == "cancelled"
    assert [file.state for file in long_job.status().files] == ["done", "cancelled"]
    assert not list((long_job.path / "out").glob(".*"))


def test_runner_takes_one_job_after_another_and_never_twice(
    store: JobStore, make_job: MakeJob, tmp_path: Path
) -> None:
    first, second = make_job(), make_job()
    started: list[str] = []
    processes: list[subprocess.Popen[bytes]] = []

    def start(arguments: object, log: Path) -> subprocess.Popen[bytes]:
        started.append(log.parent.name)
        processes.append(subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"]))
        return processes[-1]

    runner = JobRunner(store, start)
    runner.step()
    runner.step()
    assert started == [first.id]
    for _ in range(200):
        runner.step()
        if len(started) == 2:
            break
        time.sleep(0.05)
    assert started == [first.id, second.id]
    assert first.status().state == "failed"
    assert first.status().problems[0].code == "job-process-ended"
    assert [process.wait(60) for process in processes] == [1, 1]


def test_a_job_of_another_server_is_waited_for(store: JobStore, make_job: MakeJob) -> None:
    running, _ = make_job(), make_job()
    running.write_status(JobStatus(state="running", stage="starting"))

    def start(arguments: object, log: Path) -> subprocess.Popen[bytes]:
        raise AssertionError("it must not start")

    JobRunner(store, start).step()
    assert running.status().state == "running"


def test_a_job_whose_process_cannot_be_started_has_failed(
    store: JobStore, make_job: MakeJob
) -> None:
    job = make_job()

    def start(arguments: object, log: Path) -> subprocess.Popen[bytes]:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    JobRunner(store, start).step()
    told = job.report()
    assert (told.state, told.files[0].state) == ("failed", "failed")
    assert "could not be started: Cannot allocate memory" in told.problems[0].message
