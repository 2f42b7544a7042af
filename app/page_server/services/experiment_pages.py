"""Pages of finished experiments, found in the user's folders of runs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from voicegraph.app.storage import NotFoundError, name_fault
from voicegraph.graph.errors import Problem
from voicegraph.graph.regular_file import open_regular
from voicegraph.schemas.app import ExperimentPage

PAGE = "report.html"
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1 << 28
_MOST_RUNS = 1000


class _Head(BaseModel):
    """What a list needs of a manifest."""

    model_config = ConfigDict(extra="ignore")

    title: str = ""
    description: str = ""
    finished: datetime | None = None
    stopped: bool = False


class ExperimentPages:
    """The runs in some folders that are finished and have a page.

    Args:
        folders: each has one folder for each run, as ``voicegraph experiment run`` makes them.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._known: dict[tuple[Path, int, int], _Head | None] = {}
        self._guard = threading.Lock()

    def list(self) -> list[ExperimentPage]:
        """All pages, the newest first."""
        found: list[ExperimentPage] = []
        for name, folder in self._runs().items():
            with suppress(OSError):  # removed in this moment
                found.append(self._entry(name, folder))
        return sorted(found, key=lambda one: one.finished or _LONG_AGO, reverse=True)

    def page(self, name: str) -> Path:
        """The page of a run.

        Raises:
            NotFoundError: if there is no such run.
        """
        folder = self._runs().get(name)
        if folder is None:
            text = f"there is no page of an experiment {name[:60]!r}"
            raise NotFoundError(
                Problem("no-such-experiment", text, fix="GET /api/experiments lists all")
            )
        return folder / PAGE

    def _runs(self) -> dict[str, Path]:
        """Finished runs by name; a name that occurs twice gets a number."""
        found: dict[str, Path] = {}
        for parent in self._folders:
            try:
                runs = sorted(parent.iterdir())[:_MOST_RUNS]
            except OSError:
                continue
            for run in runs:
                if name_fault(run.name) is None and self._is_finished(run):
                    found[_free_name(run.name, found)] = run
        return found

    def _is_finished(self, run: Path) -> bool:
        return (run / PAGE).is_file() and self._head(run) is not None

    def _entry(self, name: str, folder: Path) -> ExperimentPage:
        head = self._head(folder) or _Head()
        return ExperimentPage(
            name=name,
            title=head.title or name,
            description=head.description,
            finished=head.finished,
            bytes=(folder / PAGE).stat().st_size,
        )

    def _head(self, run: Path) -> _Head | None:
        """The head of a manifest that says that the run has ended; it is read once."""
        path = run / _MANIFEST
        try:
            stat = path.stat()
        except OSError:
            return None
        key = (path, stat.st_size, stat.st_mtime_ns)
        with self._guard:
            if key in self._known:
                return self._known[key]
        found = _read(path)
        with self._guard:
            if len(self._known) >= _MOST_RUNS:
                self._known.clear()
            self._known[key] = found
        return found


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _free_name(name: str, taken: dict[str, Path]) -> str:
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name} ({count})"
    return free


def _read(path: Path) -> _Head | None:
    try:
        with open_regular(path) as file:
            head = _Head.model_validate_json(file.read(_LARGEST_MANIFEST))
    except (OSError, ValidationError):
        return None
    if head.finished is not None and head.finished.tzinfo is None:
        head.finished = head.finished.replace(tzinfo=UTC)
    return head if head.finished is not None or head.stopped else None
