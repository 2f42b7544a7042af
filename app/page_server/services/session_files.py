"""The files of a live session that the page server started, in a folder of its own."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from voicegraph.app.control.http_info_file import read_http_info
from voicegraph.graph.files.atomic_write import write_text
from voicegraph.graph.files.private_folder import private_folder
from voicegraph.graph.regular_file import open_regular
from voicegraph.schemas.control import HttpInfo
from voicegraph.schemas.live_end import LiveEnd
from voicegraph.schemas.session_note import SessionNote

_NOTE = "session.json"
_PREFIX = "session-"
_LARGEST = 1 << 20
_TAIL = 4096
_STAGE = "starting: "


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """Where one session writes.

    Attributes:
        folder: of this session alone; its working directory.
    """

    folder: Path

    @classmethod
    def of(cls, note: SessionNote) -> SessionFiles:
        """The files of a session by its note."""
        return cls(Path(note.folder))

    @property
    def info(self) -> Path:
        """Address and token: ``live --http-info``."""
        return self.folder / "http.json"

    @property
    def end(self) -> Path:
        """How it ended: ``live --end-report``."""
        return self.folder / "end.json"

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / "log.txt"

    def read_info(self) -> HttpInfo | None:
        """Address and token; None until it listens."""
        return read_http_info(self.info)

    def read_end(self) -> LiveEnd | None:
        """How it ended; None if it has not, or was killed."""
        try:
            with open_regular(self.end) as file:
                return LiveEnd.of_any_version(file.read(_LARGEST))
        except (OSError, ValidationError):
            return None

    def log_lines(self) -> list[str]:
        """The newest lines of what it printed."""
        try:
            with open_regular(self.log) as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - _TAIL))
                text = file.read(_TAIL).decode("utf-8", "replace")
        except OSError:
            return []
        return [line for line in map(str.strip, text.splitlines()) if line]

    def stage(self) -> str | None:
        """What it does while it starts, such as ``loading voice, 2.1 s``; None if unknown."""
        stages = [line for line in self.log_lines() if line.startswith(_STAGE)]
        return stages[-1].removeprefix(_STAGE) if stages else None


class SessionFolder:
    """The folder with the note of the newest session, and the files of all.

    Args:
        folder: private to the user; made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def note_path(self) -> Path:
        """The note of the newest session."""
        return self._folder / _NOTE

    def new_session(self) -> SessionFiles:
        """A new empty folder; those of earlier sessions are removed."""
        private_folder(self._folder)
        for old in self._folder.glob(f"{_PREFIX}*"):
            shutil.rmtree(old, ignore_errors=True)
        return SessionFiles(private_folder(self._folder / f"{_PREFIX}{secrets.token_hex(8)}"))

    def read_note(self) -> SessionNote | None:
        """The note; None if there is none, or none that this version understands."""
        try:
            return SessionNote.of_any_version(self._note_text())
        except (OSError, ValidationError):
            return None

    def process_of_foreign_note(self) -> tuple[int, float] | None:
        """Number and start of the process of a note that this version does not understand."""
        try:
            note = json.loads(self._note_text())
            return int(note["pid"]), float(note["process_started"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _note_text(self) -> bytes:
        with open_regular(self.note_path) as file:
            return file.read(_LARGEST)

    def write_note(self, note: SessionNote) -> None:
        """Writes the note.

        Raises:
            OutputError: if the system refuses.
        """
        text = note.model_dump_json(indent=2) + "\n"
        write_text(self.note_path, text, force=True, durable=False, private=True)
