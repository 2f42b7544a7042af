"""Takes: recordings that begin and end while a live session runs, in one folder.

Nobody who controls a session names a file: takes are named by date and time.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from voicegraph.schemas.live_status import TakeStatus
from voicegraph.schemas.recorded_events import MOST_MARK_CHARACTERS

from ..errors import OutputError, Problem, StateError
from ..files.private_folder import private_folder
from ..files.recordings.paths import recorded_files

if TYPE_CHECKING:
    from voicegraph.schemas.recording_state import RecordingState

    from ..runtime.session import Session

_NAME = "%Y-%m-%d_%H-%M-%S"
_MOST_OF_A_SECOND = 1000
_MEASURED_EVERY_S = 10.0


class Takes:
    """Begins, marks and ends takes; may be called from any thread.

    Args:
        session: is recorded.
        folder: where takes are written; None: there are none.
        say: adds a message to the live session's.

    Attributes:
        finished: events files of the takes that have ended.
    """

    def __init__(self, session: Session, folder: Path | None, say: Callable[[str], None]) -> None:
        self.finished: list[Path] = []
        self._session, self._folder, self._say = session, folder, say
        self._running: Path | None = None
        self._marks = 0
        self._free: int | None = None
        self._measure_at = 0.0
        self._turn = threading.Lock()

    def start(self) -> None:
        """Begins a take at the next block.

        Raises:
            StateError: if one is running, or the session has no folder for them.
            OutputError: if its files cannot be written.
        """
        with self._turn:
            path = self._free_path()
            self._session.start_recording(path, waits=False)
            self._running, self._marks = path, 0
        self._say(f"recording the take {path.stem}")

    def stop(self) -> None:
        """Ends the take, and finishes its files.

        Raises:
            StateError: if none is running.
            OutputError: if not everything could be written.
        """
        with self._turn:
            path = self._running
            if path is None:
                raise StateError(_no_take())
            self._running = None
            state = self._session.stop_recording()
            if not path.exists():
                self._say(f"the take {path.stem} is empty: no block came; it is removed")
                return
            self.finished.append(path)
        self._say(f"take {path.stem}: {self._described(state)}   (voicegraph replay {path})")

    def mark(self, text: str) -> None:
        """Puts a mark into the take, or into the recording of the whole session.

        Raises:
            StateError: if nothing is recorded.
        """
        if self._session.recording_state is None:
            raise StateError(_no_take())
        self._marks += 1
        self._session.note(self._session.position, mark=text[:MOST_MARK_CHARACTERS])

    def status(self) -> TakeStatus | None:
        """The take that is running; None if there is none."""
        path, state = self._running, self._session.recording_state
        if path is None or state is None:
            return None
        return TakeStatus(
            name=path.stem,
            seconds=state.recorded_s,
            bytes=state.bytes,
            free_s=state.left_s,
            marks=self._marks,
            stopped=state.stopped,
        )

    @property
    def free_bytes(self) -> int | None:
        """Free space of the disk for takes, measured from time to time; None if unknown.

        It is measured on a thread of its own, since a network disk may not answer.
        """
        now = time.monotonic()
        if self._folder is not None and now >= self._measure_at:
            self._measure_at = now + _MEASURED_EVERY_S
            threading.Thread(target=self._measure, name="voicegraph-disk", daemon=True).start()
        return self._free

    def _measure(self) -> None:
        assert self._folder is not None
        existing = next(path for path in (self._folder, *self._folder.parents) if path.exists())
        with suppress(OSError):
            self._free = shutil.disk_usage(existing).free

    def _free_path(self) -> Path:
        folder = self._folder
        if folder is None:
            text = "this session has no folder for takes"
            raise StateError(Problem("no-takes", text, fix="start the session with --takes DIR"))
        private_folder(folder)
        name = time.strftime(_NAME)
        for number in range(1, _MOST_OF_A_SECOND):
            path = folder / (f"{name}-{number}.jsonl" if number > 1 else f"{name}.jsonl")
            if not any(file.exists() for file in recorded_files(path)):
                return path
        text = f"{folder} has {_MOST_OF_A_SECOND} takes of this second"
        raise OutputError(Problem("exists", text, fix="try again"))

    def _described(self, state: RecordingState) -> str:
        marks = {0: "", 1: ", 1 mark"}.get(self._marks, f", {self._marks} marks")
        return f"{state.recorded_s:.1f} s{marks}"


def _no_take() -> Problem:
    return Problem("no-take", "no take is being recorded", fix='{"do": "record", "on": true}')
