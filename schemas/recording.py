"""What the first line of a recording says: the pipeline, its files, the circumstances."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from voicegraph.schemas.report import Report

FORMAT = "voicegraph-recording-2"


class RecordedFile(Report):
    """A file that the pipeline reads; it is not part of the recording."""

    path: Path
    """Where it was."""
    bytes: Annotated[int, Field(ge=0)]
    """Its size."""
    fingerprint: str
    """Of its size, beginning, middle and end."""


class RecordedAudio(Report):
    """A type of audio."""

    rate: Fraction
    """Samples a second, in Hz."""
    channels: Annotated[int, Field(ge=1, le=1024)]
    """Channels of a stream."""


class Circumstances(Report):
    """What bit-identity depends on besides the pipeline."""

    voicegraph: str
    """Version of voicegraph."""
    torch: str
    """Version of PyTorch."""
    numpy: str
    """Version of NumPy."""
    machine: str
    """Operating system and architecture."""
    cpu: str
    """The processor's name."""
    threads: int
    """Threads that numeric libraries may use."""


class RecordingHeader(Report):
    """Everything that a replay needs to know before the first block."""

    format: Literal["voicegraph-recording-2"] = FORMAT
    """Version of the format."""
    pipeline: str
    """The pipeline's name."""
    plan: str
    """Hash of the plan."""
    document: Any
    """The pipeline, with overrides applied and file names made absolute; null where the plan was
    not compiled from one."""
    swapped: list[str] = []
    """Nodes of the document whose ``use`` was changed by an override."""
    source: RecordedAudio
    """What goes in."""
    target: RecordedAudio | None
    """What a driver wanted at the output, if one said so."""
    held: Fraction
    """Latency in seconds that was asked for even where less would do."""
    streams: Annotated[int, Field(ge=1, le=4096)]
    """Independent streams; in the sound files their channels stand one after the other."""
    samples: Annotated[int, Field(ge=1)]
    """Samples of a block of input."""
    seed: int
    """Of everything random."""
    circumstances: Circumstances
    """Where it was made."""
    files: list[RecordedFile]
    """What the pipeline reads."""
