"""Traces for chrome://tracing and ui.perfetto.dev, written during a run: every node at every tick.

Format: Trace Event Format (Google), JSON array form, complete events ``X``, times in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ..errors import OutputError, Problem

if TYPE_CHECKING:
    from ..plan import CompiledPlan


class TraceWriter:
    """Writes events directly to a file, in constant memory.

    Raises:
        OutputError: if the file cannot be written, here or in any method.
    """

    def __init__(self, path: Path, plan: CompiledPlan) -> None:
        self.path = path
        self._lock = Lock()
        names = [("process_name", 0, f"voicegraph {plan.name}"), ("thread_name", 0, "engine")]
        with self._writing():
            self._file = path.open("w", encoding="utf-8")
            self._file.write("[\n")
            self._file.write(",\n".join(json.dumps(_name(*entry)) for entry in names))

    def add(self, node: str, started: int, took: int, lane: int) -> None:
        """Writes one run of a node: start and duration in nanoseconds; lane 0 is the engine."""
        event = {
            "name": node,
            "ph": "X",
            "ts": started / 1000,
            "dur": took / 1000,
            "pid": 0,
            "tid": lane,
        }
        with self._lock, self._writing():
            self._file.write(",\n" + json.dumps(event))

    def close(self) -> None:
        """Closes the JSON array. Viewers also read a file without its end, as after a crash."""
        if self._file.closed:
            return
        with self._writing(), self._file:
            self._file.write("\n]\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            text = f"the trace {self.path} cannot be written: {error.strerror}"
            raise OutputError(Problem("cannot-write", text)) from None


def _name(kind: str, lane: int, text: str) -> dict[str, object]:
    return {"name": kind, "ph": "M", "pid": 0, "tid": lane, "args": {"name": text}}
