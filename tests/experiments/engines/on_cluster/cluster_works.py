"""Tasks for a cluster: each reads a file, computes a little, and half of them need the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from time import sleep

import numpy as np

from voicegraph.experiments.task import Kind, Result, Results, Task


@dataclass(frozen=True)
class Read:
    """Reads a file."""

    path: Path
    sha256: str
    seconds: float

    def run(self, needs: Results) -> Result:
        sleep(self.seconds)
        data = np.frombuffer(self.path.read_bytes(), np.uint8)
        return Result({"data": np.sin(data.astype(np.float64))})

    def files(self) -> Mapping[Path, str]:
        return {self.path: self.sha256}

    def with_files(self, moved: Mapping[Path, Path]) -> Read:
        return replace(self, path=moved.get(self.path, self.path))


@dataclass(frozen=True)
class Spectrum:
    """Computes with a result."""

    of: str
    seconds: float

    def run(self, needs: Results) -> Result:
        sleep(self.seconds)
        return Result({"spectrum": np.abs(np.fft.rfft(needs.read(self.of).arrays["data"]))})

    def files(self) -> Mapping[Path, str]:
        return {}

    def with_files(self, moved: Mapping[Path, Path]) -> Spectrum:
        return self


def tasks(folder: Path, number: int, seconds: float) -> list[Task]:
    """Two tasks for each of so many files, which are made if they are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Task] = []
    for index in range(number):
        path = folder / f"{index}.bin"
        path.write_bytes(np.random.default_rng(index).bytes(20_000))
        content = sha256(path.read_bytes()).hexdigest()
        read, spectrum = (sha256(f"{what} {index}".encode()).hexdigest() for what in ("r", "s"))
        found += [
            Task(read, Kind.INPUT, Read(path, content, seconds), label=f"read {index}"),
            Task(
                spectrum,
                Kind.OBSERVE,
                Spectrum(read, seconds),
                (read,),
                label=f"spectrum {index}",
            ),
        ]
    return found
