"""What a recording is, read off its lines and the sizes of its files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from voicegraph.schemas.recorded_events import (
    EVENT_KINDS,
    MarkEvent,
    RecordedEvent,
    UnknownEvent,
)
from voicegraph.schemas.recording import FORMAT
from voicegraph.schemas.recording_summary import RecordedMark, RecordingSummary

from ...regular_file import open_regular
from .paths import recorded_files
from .reader import open_recording

_KINDS = {model: kind for kind, model in EVENT_KINDS.items()}


def looks_like_recording(path: Path) -> bool:
    """Whether a file calls itself a recording, of this version or another."""
    family = FORMAT.rpartition("-")[0]
    try:
        with open_regular(path) as file:
            return f'{{"format": "{family}'.encode() == file.read(len(family) + 12)
    except OSError:
        return False


def summarize(path: Path) -> RecordingSummary:
    """Describes a recording.

    Raises:
        StateError: if the file is not a recording, or a part is missing.
    """
    recording = open_recording(path)
    header = recording.header
    block_s = header.samples / float(header.source.rate)
    blocks = recording.recorded_input_blocks()
    others = (event for event in recording.events if not isinstance(event, MarkEvent))
    return RecordingSummary(
        path=str(path),
        pipeline=header.pipeline,
        seconds=blocks * block_s,
        blocks=blocks,
        block_ms=1e3 * block_s,
        begun_s=None if header.start is None else header.start.position * block_s,
        rate_hz=float(header.source.rate),
        channels=header.source.channels,
        streams=header.streams,
        size_bytes=sum(file.stat().st_size for file in recorded_files(path) if file.is_file()),
        marks=[
            RecordedMark(seconds=event.tick * block_s, text=event.mark)
            for event in recording.events
            if isinstance(event, MarkEvent)
        ],
        events=dict(Counter(_kind(event) for event in others)),
        files=[str(file.path) for file in header.files],
    )


def _kind(event: RecordedEvent) -> str:
    return event.kind if isinstance(event, UnknownEvent) else _KINDS[type(event)]
