"""Reads recordings, including those that a crash cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pydantic import ValidationError

from voicegraph.schemas.recording import FORMAT, RecordingHeader

from ...errors import Problem, StateError
from ...regular_file import open_regular, shortened
from ...runtime.param_values import from_json
from ._growing_wave import HEADER, is_own
from .recorder import input_path, output_path

_KEYS: dict[str, set[str]] = {
    "set": {"value", "stream"},
    "reset": {"stream"},
    "exchange": {"begun"},
    "fault": set(),
    "recovered": set(),
}
"""Required keys of the events that a replay applies."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording.

    Attributes:
        path: the events file.
        header: pipeline, files and environment.
        events: all lines, in order.
    """

    path: Path
    header: RecordingHeader
    events: list[dict[str, Any]]

    def changes_by_tick(self) -> dict[int, list[dict[str, Any]]]:
        """The events to apply before each tick."""
        found: dict[int, list[dict[str, Any]]] = {}
        for event in self.events:
            if event.keys() & _KEYS.keys():
                tick = event["begun"] if "exchange" in event else event["tick"]
                found.setdefault(tick, []).append(event)
        return found

    def blocks(self) -> Iterator[np.ndarray]:
        """The input, block by block: float32 ``[streams, channels, samples]``."""
        head = self.header
        shape = (head.samples, head.streams, head.source.channels)
        with open_regular(input_path(self.path)) as file:
            yield from _frames(file, shape)

    def output(self, samples: int, channels: int) -> Iterator[np.ndarray]:
        """The recorded output, in blocks of ``samples``."""
        path = output_path(self.path)
        if not path.is_file():
            return
        with open_regular(path) as file:
            yield from _frames(file, (samples, self.header.streams, channels))


def _frames(file: BinaryIO, shape: tuple[int, int, int]) -> Iterator[np.ndarray]:
    """Yields complete blocks; an incomplete last one, left by a crash, is ignored."""
    start = file.read(HEADER)
    if len(start) == HEADER and not is_own(start, shape[1] * shape[2]):
        text = f"{Path(file.name).name} was changed after the recording: another program saved it"
        raise StateError(Problem("other-sound", text, fix="restore the recorded file"))
    size = 4 * shape[0] * shape[1] * shape[2]
    while len(raw := file.read(size)) == size:
        block = np.frombuffer(raw, "<f4").reshape(shape)
        yield np.ascontiguousarray(block.transpose(1, 2, 0), np.float32)


def open_recording(path: str | Path) -> Recording:
    """Reads the events of a recording; audio is read on demand.

    Raises:
        StateError: if the file is not a recording, or its audio is missing.
    """
    path = Path(path)
    try:
        header, *lines = _lines(path)
        found = _header(header)
        events = [_event(line) for line in lines]
    except _NoRecordingError as error:
        raise StateError(_problem(path, str(error))) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StateError(_problem(path, f"{where}: {first['msg']}")) from None
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise StateError(_problem(path, why)) from None
    if not input_path(path).is_file():
        raise StateError(_problem(path, f"its audio {input_path(path).name} is missing"))
    return Recording(path, found, events)


class _NoRecordingError(Exception):
    """The file is not a recording."""


def _header(line: Any) -> RecordingHeader:
    if not isinstance(line, dict) or line.get("format") != FORMAT:
        raise _NoRecordingError(_other_format(line))
    return RecordingHeader.model_validate(line)


def _other_format(header: object) -> str:
    said = header.get("format") if isinstance(header, dict) else None
    if isinstance(said, str) and said.startswith("voicegraph-recording-"):
        return f"its format is {said}, but this version reads {FORMAT}"
    return f"its first line is not that of {FORMAT}"


def _problem(path: Path, why: str) -> Problem:
    text = f"{shortened(path)} is not a recording: {why}"
    return Problem("no-recording", text, fix="give the .jsonl file that `--record` wrote")


def _lines(path: Path) -> list[Any]:
    """The events. A last line without a line end, left by a crash, is ignored."""
    *whole, _ = _text(path).split("\n")
    if not whole:
        raise _NoRecordingError("it is empty")
    return [json.loads(line) for line in whole]


def _text(path: Path) -> str:
    with open_regular(path) as file:
        return file.read().decode("utf-8").replace("\r\n", "\n")


def _event(line: Any) -> dict[str, Any]:
    if not isinstance(line, dict) or not _count(line.get("tick")) or len(line) < 2:
        raise _NoRecordingError(f"a line is not an event: {json.dumps(line)[:60]}")
    for kind, needed in _KEYS.items():
        if kind in line and not needed <= line.keys():
            raise _NoRecordingError(f"a line lacks {', '.join(sorted(needed - line.keys()))}")
    if "exchange" in line and not (isinstance(line["exchange"], dict) and _count(line["begun"])):
        raise _NoRecordingError("an exchange is not valid")
    if "value" in line:
        line = {**line, "value": from_json(line["value"])}
    return line


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
