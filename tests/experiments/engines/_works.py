"""Works for tests of engines: what tasks do, well or badly. They travel to workers by pickle."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from voicegraph.experiments.task import Kind, Result, Results, Task
from voicegraph.graph.errors import NodeFailedError, Problem


def key_of(name: str) -> str:
    return sha256(name.encode()).hexdigest()


@dataclass(frozen=True)
class Add:
    """The sum of what it needs, and a number."""

    number: float
    keys: tuple[str, ...] = ()

    def run(self, needs: Results) -> Result:
        found = [needs.read(key).arrays["x"] for key in self.keys]
        return Result({"x": np.array([self.number + sum(float(x[0]) for x in found)])})


@dataclass(frozen=True)
class Sound:
    """A sound, with a number at one place."""

    value: float = 0.0

    def run(self, needs: Results) -> Result:
        audio = np.zeros(8000, np.float32)
        audio[2000] = self.value
        return Result({"audio": audio}, {"rate": 8000})


@dataclass(frozen=True)
class Raise:
    error: BaseException

    def run(self, needs: Results) -> Result:
        raise self.error


@dataclass(frozen=True)
class NodeFails:
    def run(self, needs: Results) -> Result:
        error = NodeFailedError(Problem("not-finite", "f0 gave NaN"), "f0")
        raise error


@dataclass(frozen=True)
class Kill:
    """Ends its process by a signal, or with an exit code."""

    number: int = 9

    def run(self, needs: Results) -> Result:
        os.kill(os.getpid(), self.number)
        time.sleep(60)
        raise AssertionError


@dataclass(frozen=True)
class KillOnce:
    """Ends its process the first time; ``path`` says that it has."""

    path: str

    def run(self, needs: Results) -> Result:
        if not os.path.exists(self.path):  # noqa: PTH110
            open(self.path, "w").close()  # noqa: PTH123
            os._exit(3)
        return Result({"x": np.ones(1)})


@dataclass(frozen=True)
class Sleep:
    seconds: float = 600.0

    def run(self, needs: Results) -> Result:
        time.sleep(self.seconds)
        return Result({"x": np.ones(1)})


@dataclass(frozen=True)
class Hang:
    """Computes for ever without letting other threads of the process run."""

    def run(self, needs: Results) -> Result:
        return Result({"x": np.array([pow(7, 10**9, 10**8 + 7) and len(str(7 ** (10**8)))])})


@dataclass(frozen=True)
class Eat:
    """Takes memory: in one piece, or bit by bit."""

    bytes: int
    piece: int | None = None

    def run(self, needs: Results) -> Result:
        held: list[Any] = []
        piece = self.piece or self.bytes
        for _ in range(self.bytes // piece):
            held.append(np.ones(piece // 8))
            time.sleep(0.01)
        return Result({"x": np.array([len(held)])})


@dataclass(frozen=True)
class Unsendable:
    what: Any

    def run(self, needs: Results) -> Result:
        raise AssertionError


def task(name: str, work: Any, *needs: Task, kind: Kind | None = None, **values: Any) -> Task:
    """A task whose key is made of its name."""
    keys = tuple(need.key for need in needs)
    kind = kind or (Kind.CONVERT if needs else Kind.INPUT)
    return Task(key_of(name), kind, work, keys, label=name, **values)


@dataclass(frozen=True)
class Announce:
    """Writes the number of its process into a file, and sleeps."""

    path: str

    def run(self, needs: Results) -> Result:
        with open(self.path, "w") as file:  # noqa: PTH123
            file.write(str(os.getpid()))
        time.sleep(600)
        return Result({})


@dataclass(frozen=True)
class Blocked:
    """Whether its process was started so that Ctrl-C cannot reach it."""

    def run(self, needs: Results) -> Result:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        return Result({"x": np.array([signal.SIGINT in blocked])})
