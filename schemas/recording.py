"""The first line of a recording: the pipeline, its files, the circumstances."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from voicegraph.schemas.report import Report

FORMAT = "voicegraph-recording-2"


class RecordedFile(Report):
    """A file that the pipeline reads; not part of the recording."""

    path: Path
    """Path at recording time."""
    bytes: Annotated[int, Field(ge=0)]
    """Size in bytes."""
    fingerprint: str
    """Hash of its size, beginning, middle and end."""


class RecordedAudio(Report):
    """An audio type."""

    rate: Fraction
    """Samples a second, in Hz."""
    channels: Annotated[int, Field(ge=1, le=1024)]
    """Channels of a stream."""


class Circumstances(Report):
    """What bit-identical replay depends on, besides the pipeline."""

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
    """Everything that a replay needs before the first block."""

    format: Literal["voicegraph-recording-2"] = FORMAT
    """Version of the format."""
    pipeline: str
    """The pipeline's name."""
    plan: str
    """Hash of the plan."""
    document: Any
    """The pipeline with overrides applied and absolute file names; null if the plan was not
    compiled from a pipeline."""
    swapped: list[str] = []
    """Nodes of the document whose ``use`` was changed by an override."""
    source: RecordedAudio
    """Audio type of the input."""
    target: RecordedAudio | None
    """Audio type that a driver asked for at the output, if any."""
    held: Fraction
    """Minimum latency that was asked for, in seconds."""
    streams: Annotated[int, Field(ge=1, le=4096)]
    """Independent streams; the sound files hold their channels one stream after another."""
    samples: Annotated[int, Field(ge=1)]
    """Samples in a block of input."""
    seed: int
    """Seed of all random numbers."""
    circumstances: Circumstances
    """Machine and versions."""
    files: list[RecordedFile]
    """Files that the pipeline reads."""
