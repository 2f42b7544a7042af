"""Fixtures: a store of jobs, and jobs made of small sounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.app.conversion_queue import JobFolder, JobLimits, JobStore, NewJob
from voicegraph.app.storage import ReceivedFile

MakeJob = Callable[..., JobFolder]
HALF = "block: 10ms\nnodes: {half: {use: dsp.gain, in: input, params: {db: -6}}}\noutput: half\n"


def sound(path: Path, seconds: float = 0.3, rate: int = 16000) -> None:
    """Writes a tone."""
    time = np.arange(round(seconds * rate)) / rate
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 220 * time), rate)


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    """A store with room for four jobs."""
    return JobStore(tmp_path / "jobs", JobLimits(jobs=4, bytes=1 << 24, days=30))


@pytest.fixture
def make_job(store: JobStore) -> MakeJob:
    """Makes jobs that halve the level of files; ``files`` are names, or names with contents."""

    def make(*files: str | tuple[str, bytes], text: str | None = None, **more: Any) -> JobFolder:
        preset = text or HALF
        new = NewJob(
            "heart", "half", "default", more.pop("overrides", {}), [], preset=preset, **more
        )
        with store.new_upload() as folder:
            received: list[ReceivedFile] = []
            for number, given in enumerate(files or ("a.wav",)):
                name, contents = (given, None) if isinstance(given, str) else given
                path = folder / f"{number:04d}{Path(name).suffix}"
                if contents is None:
                    sound(path)
                else:
                    path.write_bytes(contents)
                received.append(ReceivedFile(name, path, path.stat().st_size))
            return store.create(folder, received, new)

    return make
