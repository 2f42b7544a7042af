"""Reads recordings, including those that a crash cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicegraph.schemas.recorded_events import Change, RecordedEvent, SwapEvent, UnknownEvent
from voicegraph.schemas.recording import RecordingHeader

from ...errors import Mark, Problem, StateError
from ...regular_file import open_regular, read_failure, require_regular, shortened
from ._growing_wave import HEADER, frames_claimed, is_own
from ._lines import read_lines
from .paths import input_path, output_path, start_path


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
    events: list[RecordedEvent]

    def changes_by_tick(self) -> dict[int, list[tuple[Mark, Change]]]:
        """The events to apply before each tick, each with its line."""
        found: dict[int, list[tuple[Mark, Change]]] = {}
        for line, event in enumerate(self.events, 2):
            if isinstance(event, Change):
                tick = event.begun if isinstance(event, SwapEvent) else event.tick
                mark = Mark(shortened(self.path), line, 1)
                found.setdefault(tick, []).append((mark, event))
        return found

    def unknown_kinds(self) -> list[str]:
        """Kinds of events that this version does not know, by first appearance."""
        found = (event.kind for event in self.events if isinstance(event, UnknownEvent))
        return list(dict.fromkeys(found))

    def blocks(self) -> Iterator[np.ndarray]:
        """The input, block by block: float32 ``[streams, channels, samples]``."""
        yield from _blocks(input_path(self.path), self._input_shape)

    def output(self, samples: int, channels: int) -> Iterator[np.ndarray]:
        """The recorded output, in blocks of ``samples``; none if its file is missing."""
        path = output_path(self.path)
        if path.is_file():
            yield from _blocks(path, (samples, self.header.streams, channels))

    def recorded_blocks(self, samples: int, channels: int) -> int:
        """Blocks that were recorded, by the headers of both sound files and by the events.

        The files may hold fewer: somebody cut them, or the disk was full.

        Args:
            samples: samples in a block of output.
            channels: channels of the output; 0 if it is no audio.
        """
        found = [event.tick for event in self.events]
        found.append(self.recorded_input_blocks())
        path = output_path(self.path)
        if channels and path.is_file():
            found.append(_blocks_claimed(path, (samples, self.header.streams, channels)))
        return max(found)

    def recorded_input_blocks(self) -> int:
        """Blocks of input that were recorded, by the header of their file."""
        return _blocks_claimed(input_path(self.path), self._input_shape)

    @property
    def _input_shape(self) -> tuple[int, int, int]:
        return self.header.samples, self.header.streams, self.header.source.channels


def _blocks_claimed(path: Path, shape: tuple[int, int, int]) -> int:
    with open_regular(path) as file:
        start = file.read(HEADER)
    if len(start) < HEADER:
        return 0
    _require_own(path, start, shape)
    return frames_claimed(start, shape[1] * shape[2]) // shape[0]


def _blocks(path: Path, shape: tuple[int, int, int]) -> Iterator[np.ndarray]:
    """Yields complete blocks; an incomplete last one, left by a crash, is ignored."""
    size = 4 * shape[0] * shape[1] * shape[2]
    with open_regular(path) as file:
        start = file.read(HEADER)
        if len(start) == HEADER:
            _require_own(path, start, shape)
        while len(raw := file.read(size)) == size:
            block = np.frombuffer(raw, "<f4").reshape(shape)
            yield np.ascontiguousarray(block.transpose(1, 2, 0), np.float32)


def _require_own(path: Path, start: bytes, shape: tuple[int, int, int]) -> None:
    if not is_own(start, shape[1] * shape[2]):
        text = f"{path.name} was changed after the recording: another program saved it"
        raise StateError(Problem("other-sound", text, fix="restore the recorded file"))


def open_recording(path: str | Path) -> Recording:
    """Reads the events of a recording; audio is read on demand.

    Raises:
        StateError: if the file is not a recording, or its audio or its start is missing.
    """
    path = Path(path)
    header, events = read_lines(path)
    _require_part(path, input_path(path), "audio")
    if header.start is not None:
        _require_part(path, start_path(path), "state at the start")
    return Recording(path, header, events)


def _require_part(path: Path, part: Path, what: str) -> None:
    try:
        require_regular(part)
    except OSError as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else f"is {read_failure(error)}"
        text = f"{shortened(path)}: its {what} {part.name} {why}"
        fix = "put it beside the .jsonl file"
        raise StateError(Problem("no-recording", text, fix=fix)) from None
