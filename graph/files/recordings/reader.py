"""Reads recordings, those that a crash cut off included."""

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
from ...runtime.param_values import from_json
from ._growing_wave import HEADER, is_own
from .recorder import input_path, output_path

_KEYS = {"set": {"value", "stream"}, "reset": {"stream"}, "exchange": {"begun"}}
"""What an event of each kind that a replay needs must say."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recording says.

    Attributes:
        path: the events file.
        header: pipeline, files, circumstances.
        events: all lines, in order.
    """

    path: Path
    header: RecordingHeader
    events: list[dict[str, Any]]

    def before(self) -> dict[int, list[dict[str, Any]]]:
        """What has to be done before each tick."""
        found: dict[int, list[dict[str, Any]]] = {}
        for event in self.events:
            if event.keys() & _KEYS.keys():
                tick = event["begun"] if "exchange" in event else event["tick"]
                found.setdefault(tick, []).append(event)
        return found

    def blocks(self) -> Iterator[np.ndarray]:
        """The input, block by block: ``[streams, channels, samples]`` float32."""
        head = self.header
        shape = (head.samples, head.streams, head.source.channels)
        with input_path(self.path).open("rb") as file:
            yield from _frames(file, shape)

    def output(self, samples: int, channels: int) -> Iterator[np.ndarray]:
        """The output that was recorded, in blocks of ``samples``."""
        path = output_path(self.path)
        if not path.is_file():
            return
        with path.open("rb") as file:
            yield from _frames(file, (samples, self.header.streams, channels))


def _frames(file: BinaryIO, shape: tuple[int, int, int]) -> Iterator[np.ndarray]:
    """Whole blocks; what a crash left of the last one is not used."""
    start = file.read(HEADER)
    if len(start) == HEADER and not is_own(start, shape[1] * shape[2]):
        text = f"{Path(file.name).name} is not as it was recorded: another program has saved it"
        raise StateError(Problem("other-sound", text, fix="put the recorded file there again"))
    size = 4 * shape[0] * shape[1] * shape[2]
    while len(raw := file.read(size)) == size:
        block = np.frombuffer(raw, "<f4").reshape(shape)
        yield np.ascontiguousarray(block.transpose(1, 2, 0), np.float32)


def open_recording(path: str | Path) -> Recording:
    """Reads the events of a recording; its sound is read as it is used.

    Raises:
        StateError: if the file is no recording, or its input is missing.
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
        raise StateError(_problem(path, f"its sound {input_path(path).name} is missing"))
    return Recording(path, found, events)


class _NoRecordingError(Exception):
    """The file is something else."""


def _header(line: Any) -> RecordingHeader:
    if not isinstance(line, dict) or line.get("format") != FORMAT:
        raise _NoRecordingError(_other_format(line))
    return RecordingHeader.model_validate(line)


def _other_format(header: object) -> str:
    said = header.get("format") if isinstance(header, dict) else None
    if isinstance(said, str) and said.startswith("voicegraph-recording-"):
        return f"it has the format {said}, and this version reads {FORMAT}"
    return f"its first line is not that of {FORMAT}"


def _problem(path: Path, why: str) -> Problem:
    text = f"{path} is no recording: {why}"
    return Problem("no-recording", text, fix="give the .jsonl file that `--record` has written")


def _lines(path: Path) -> list[Any]:
    """The events. A last line that a crash cut off has no line end, and is left out."""
    *whole, _ = path.read_text(encoding="utf-8").split("\n")
    if not whole:
        raise _NoRecordingError("it is empty")
    return [json.loads(line) for line in whole]


def _event(line: Any) -> dict[str, Any]:
    if not isinstance(line, dict) or not _count(line.get("tick")) or len(line) < 2:
        raise _NoRecordingError(f"a line is no event: {json.dumps(line)[:60]}")
    for kind, needed in _KEYS.items():
        if kind in line and not needed <= line.keys():
            raise _NoRecordingError(f"a line lacks {', '.join(sorted(needed - line.keys()))}")
    if "exchange" in line and not (isinstance(line["exchange"], dict) and _count(line["begun"])):
        raise _NoRecordingError("an exchange says nothing that can be done")
    if "value" in line:
        line = {**line, "value": from_json(line["value"])}
    return line


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
