"""The journal of a run's folder: one JSON line for everything that happened, never rewritten.

It says what failed, so that the next run does not try it again, and is what to read when a run went
wrong. Results themselves are known by the store alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import IO, Any

from voicegraph.graph.files.atomic_write import reported_errors

from ..task import Failure, Outcome, Task

FILE_NAME = "journal.jsonl"
RETRY = "retry-failed"


_SYNC_S = 1.0
"""Time between flushes to the disk. What a killed process has written is there without one."""


class Journal:
    """Appends lines to a file. A power cut loses those of the last second.

    Args:
        path: the file; it is made if it is not there.

    Raises:
        OutputError: if it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with reported_errors(path, path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = path.open("ab")
            if self._ends_in_a_line():
                self._file.write(b"\n")
        self._lines: list[str] = []
        self._synced = monotonic()

    def _ends_in_a_line(self) -> bool:
        """Whether the last line was not finished, since the process that wrote it was killed."""
        if not self.path.stat().st_size:
            return False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() != b"\n"

    def add(self, event: str, **values: Any) -> None:
        """Notes an event; :meth:`flush` writes it."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(json.dumps({"time": now, "event": event, **values}))

    def ended(self, task: Task, outcome: Outcome) -> None:
        """Notes how a task ended: ``done`` or ``failed``."""
        known = {"key": task.key, "kind": task.kind, "label": task.label}
        rest = asdict(outcome)
        rest.pop("key")
        if rest.pop("failure") is None:
            self.add("done", **known, **rest)
        else:
            assert outcome.failure is not None
            self.add("failed", **known, **asdict(outcome.failure), **rest)

    def flush(self) -> None:
        """Writes the events to the file.

        Raises:
            OutputError: if the disk is full, or the file cannot be written.
        """
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        with reported_errors(self.path, self.path.parent):
            self._file.write("".join(f"{line}\n" for line in lines).encode())
            self._file.flush()
            if monotonic() - self._synced > _SYNC_S:
                os.fsync(self._file.fileno())
                self._synced = monotonic()

    def close(self) -> None:
        """Writes what is left, and closes the file. Safe to call twice.

        Raises:
            OutputError: as :meth:`flush`.
        """
        if not self._file.closed:
            self._synced = 0.0
            try:
                self.flush()
            finally:
                self._file.close()


def known_failures(path: Path) -> Mapping[str, Failure]:
    """Tasks that failed by themselves, by key, and were not tried again with success.

    Args:
        path: a journal; it need not be there. Lines that cannot be read are left out.
    """
    failures: dict[str, Failure] = {}
    if not path.is_file():
        return failures
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                _apply(json.loads(line), failures)
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # torn as its process was killed
    return failures


def _apply(entry: Mapping[str, Any], failures: dict[str, Failure]) -> None:
    match entry["event"]:
        case "failed":
            values = {name: entry.get(name) for name in ("node", "second", "fix")}
            failures[entry["key"]] = Failure(entry["code"], entry["message"], **values)
        case "done":
            failures.pop(entry["key"], None)
        case event if event == RETRY:
            failures.clear()
