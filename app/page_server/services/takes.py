"""Takes: recordings that sessions have made in the user's folder of takes."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from voicegraph.app.background import CommandRunner
from voicegraph.app.reports.replay_text import replay_lines, replay_verdict
from voicegraph.app.storage import ConflictError, NotFoundError
from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.files.recordings.paths import input_path, output_path, recorded_files
from voicegraph.graph.files.recordings.summary import summarize
from voicegraph.graph.files.recordings.writing_lock import is_being_written
from voicegraph.graph.files.voice_library import entries
from voicegraph.schemas.app import Mark, Take, TakeCheck
from voicegraph.schemas.replay_report import ReplayReport
from voicegraph.schemas.report import ProblemReport

from ._problems import problem_reports, raise_problems

Side = Literal["input", "output"]
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,99}", re.ASCII)
_MOST_CACHED = 1000


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the lines of a take say; they are read again if the file has changed."""

    seconds: float
    started: datetime | None
    marks: list[Mark]
    pipeline: str | None
    voice: str | None
    problems: list[ProblemReport]


class Takes:
    """The takes in a folder.

    Args:
        folder: where sessions record; it may not exist yet.
        commands: runs the check.
    """

    def __init__(self, folder: Path, commands: CommandRunner) -> None:
        self._folder = folder
        self._commands = commands
        self._known: dict[tuple[str, int, int], _Facts] = {}
        self._guard = threading.Lock()

    def list(self) -> list[Take]:
        """All takes, the newest first."""
        found: list[Take] = []
        for name in reversed(self._names()):
            with suppress(OSError):  # deleted in this moment
                found.append(self._take(name))
        return found

    def take(self, name: str) -> Take:
        """A take by its name.

        Raises:
            NotFoundError: if there is none.
        """
        return self._take(self._required(name))

    def sound(self, name: str, side: Side) -> Path:
        """The sound file of a take.

        Raises:
            NotFoundError: if there is no such take, or it has no such sound.
        """
        events = self._events(self._required(name))
        path = input_path(events) if side == "input" else output_path(events)
        if not path.is_file():
            text = f"the take {name} has no sound of its {side}"
            raise NotFoundError(Problem("no-such-sound", text))
        return path

    def delete(self, name: str) -> Take:
        """Deletes the files of a take; its last state.

        Raises:
            NotFoundError: if there is none of that name.
            ConflictError: if it is being recorded.
        """
        last = self.take(name)
        if last.recording:
            text = f"the take {name} is being recorded"
            raise ConflictError(Problem("is-recording", text, fix="stop recording first"))
        for path in self._files(last.name):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # a player has it open on Windows
                text = f"{path.name} cannot be deleted: {error.strerror}"
                raise ConflictError(Problem("cannot-delete", text, fix="try again")) from None
        return last

    async def check(self, name: str) -> TakeCheck:
        """Replays a take in a process of its own, and compares the outputs.

        Raises:
            NotFoundError: if there is none of that name.
            ConflictError: if it is being recorded.
            VoicegraphError: if it cannot be replayed.
        """
        name = self._required(name)
        if is_being_written(self._events(name)):
            text = f"the take {name} is being recorded"
            raise ConflictError(Problem("is-recording", text, fix="stop recording first"))
        result = await self._commands.run("replay", str(self._events(name)))
        raise_problems(result.problems)
        report = ReplayReport.model_validate(result.report)
        return TakeCheck(
            name=name,
            same=report.result == "identical",
            text=replay_verdict(report),
            lines=replay_lines(report),
        )

    # ---- what lies in the folder

    def _names(self) -> list[str]:
        paths = self._folder.glob("*.jsonl")
        return sorted(path.stem for path in paths if _NAME.fullmatch(path.stem))

    def _required(self, name: str) -> str:
        if name in self._names():
            return name
        text = f"there is no take {name[:60]!r}"
        raise NotFoundError(Problem("no-such-take", text, fix="GET /api/takes lists all"))

    def _events(self, name: str) -> Path:
        return self._folder / f"{name}.jsonl"

    def _files(self, name: str) -> tuple[Path, ...]:
        """All files of a take; the lines last, so that a half deleted one can be deleted again."""
        return tuple(reversed(recorded_files(self._events(name))))

    def _take(self, name: str) -> Take:
        # Asked first: what is read of a take that is finished by then is whole.
        recording = is_being_written(self._events(name))
        facts = self._facts(name, self._events(name))
        return Take(
            name=name,
            seconds=facts.seconds,
            bytes=sum(path.stat().st_size for path in self._files(name) if path.is_file()),
            started=facts.started,
            marks=facts.marks,
            pipeline=facts.pipeline,
            voice=facts.voice,
            recording=recording,
            problems=[] if recording else facts.problems,
        )

    def _facts(self, name: str, events: Path) -> _Facts:
        found = events.stat()
        with suppress(OSError):
            found = max(found, input_path(events).stat(), key=lambda one: one.st_mtime_ns)
        key = (name, found.st_size, found.st_mtime_ns)
        with self._guard:
            known = self._known.get(key)
        if known is not None:
            return known
        facts = _read(events)
        with self._guard:
            if len(self._known) >= _MOST_CACHED:
                self._known.clear()
            self._known[key] = facts
        return facts


def _read(events: Path) -> _Facts:
    changed = events.stat().st_mtime
    try:
        found = summarize(events)
    except VoicegraphError as error:
        begun = datetime.fromtimestamp(changed, UTC)
        return _Facts(0.0, begun, [], None, None, problem_reports(error))
    return _Facts(
        found.seconds,
        _begun(events.stem) or datetime.fromtimestamp(changed - found.seconds, UTC),
        [Mark(seconds=mark.seconds, text=mark.text) for mark in found.marks],
        found.pipeline,
        _voice(found.files),
        [],
    )


def _begun(name: str) -> datetime | None:
    """The moment that a take is named by, in the time of the machine."""
    try:
        return datetime.strptime(name[:19], "%Y-%m-%d_%H-%M-%S").astimezone()
    except ValueError:
        return None


def _voice(files: Sequence[str]) -> str | None:
    """The name in the library of the voice whose model a take was made with."""
    known = {
        str(entry.model_file): name for name, entry in entries().items() if entry.card.is_voice
    }
    return next((known[file] for file in files if file in known), None)
