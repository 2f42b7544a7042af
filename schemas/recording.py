"""The first line of a recording: the pipeline, its files, the circumstances."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from voicegraph.schemas.engine_setup import EngineSetup
from voicegraph.schemas.report import Report

FORMAT = "voicegraph-recording-2"
MOST_STREAMS = 4096
MOST_CHANNELS = 65535
"""Channels of all streams together: the header of a WAV file holds no larger number."""
MOST_BLOCK_BYTES = 1 << 28
"""Bytes of a block, all streams and channels together (256 MiB)."""
_SAMPLE_BYTES = 4
_EXACT = re.compile(r"[0-9]{1,30}(/[0-9]{1,30})?", re.ASCII)


def _exact(value: object) -> object:
    """Refuses what ``Fraction`` would take minutes or gigabytes for, such as ``1e999999999``."""
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, str) or not _EXACT.fullmatch(value) or value.endswith("/0"):
        raise ValueError(f'expected a fraction such as "48000" or "1/3", found {value!r:.60}')
    return value


Exact = Annotated[Fraction, BeforeValidator(_exact)]
"""A number as text, ``48000`` or ``1/3``."""
_Count = Annotated[int, Field(strict=True, ge=0)]


class RecordedFile(Report):
    """A file that the pipeline reads; not part of the recording."""

    path: Path
    """Path at recording time."""
    bytes: _Count
    """Size in bytes."""
    fingerprint: str
    """`sha256:` and the SHA-256 of its contents; in recordings of older versions, a hash of its
    size, beginning, middle and end."""


class RecordedAudio(Report):
    """An audio type."""

    rate: Annotated[Exact, Field(gt=0, le=1 << 32)]
    """Samples a second, in Hz."""
    channels: Annotated[int, Field(strict=True, ge=1, le=1024)]
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
    threads: _Count
    """Threads that numeric libraries may use."""


class RecordedStart(Report):
    """The session at the begin of a recording that began while it ran.

    States, histories and live params are a snapshot in ``NAME.start.safetensors``.
    """

    position: _Count
    """Blocks that the session had processed; ticks of the recording count from here."""
    last: list[Annotated[float, Field(allow_inf_nan=False)]] | None = None
    """Newest output of each channel of each stream, from which a failure would fade out; null if
    failures end the session."""
    silent: bool = False
    """A node had failed, and the output was silent."""


class RecordingHeader(Report):
    """Everything that a replay needs before the first block."""

    format: Literal["voicegraph-recording-2"] = FORMAT
    """Version of the format."""
    pipeline: str
    """The pipeline's name."""
    plan: str
    """Hash of the plan."""
    document: dict[str, Any] | None
    """The pipeline with overrides applied and absolute file names; null if the plan was not
    compiled from a pipeline."""
    swapped: list[str] = []
    """Nodes of the document whose ``use`` was changed by an override."""
    source: RecordedAudio
    """Audio type of the input."""
    target: RecordedAudio | None
    """Audio type that a driver asked for at the output, if any."""
    held: Annotated[Exact, Field(le=3600)]
    """Minimum latency that was asked for, in seconds."""
    streams: Annotated[int, Field(strict=True, ge=1, le=MOST_STREAMS)]
    """Independent streams; the sound files hold their channels one stream after another."""
    samples: Annotated[int, Field(strict=True, ge=1)]
    """Samples in a block of input."""
    seed: Annotated[int, Field(strict=True)]
    """Seed of all random numbers."""
    circumstances: Circumstances
    """Machine and versions."""
    files: list[RecordedFile]
    """Files that the pipeline reads."""
    setup: EngineSetup | None = None
    """How the engine was set up; null in recordings of older versions."""
    start: RecordedStart | None = None
    """The session at the begin of the recording; null if that was the session's begin."""

    @model_validator(mode="after")
    def _bounded(self) -> RecordingHeader:
        channels = self.streams * self.source.channels
        if channels > MOST_CHANNELS:
            raise ValueError(
                f"{self.streams} streams of {self.source.channels} channels, expected at most "
                f"{MOST_CHANNELS} channels together"
            )
        if (size := _SAMPLE_BYTES * channels * self.samples) > MOST_BLOCK_BYTES:
            raise ValueError(
                f"a block of {self.samples} samples and {channels} channels takes "
                f"{size / (1 << 20):.0f} MiB, expected at most {MOST_BLOCK_BYTES >> 20} MiB"
            )
        return self
