"""Descriptions of model files: ``voicegraph inspect --json`` and ``convert --json``."""

from __future__ import annotations

from typing import Any

from voicegraph.schemas.file_report import FailedFile
from voicegraph.schemas.recording_summary import RecordingSummary
from voicegraph.schemas.report import Report


class ModelFile(Report):
    """A model file, described by its header."""

    path: str
    """The file, as given."""
    kind: str | None
    """`voice`, `content-encoder`, `phonetic-encoder`, `pitch-model` or `index`; null if
    unknown."""
    description: str
    """Its kind and version in words."""
    card: dict[str, Any] | None
    """Its properties; the keys depend on the kind."""
    unstated: dict[str, str]
    """Important properties that the file does not state, in words, by key of the card."""
    form: str | None
    """`torch`, `torch-legacy` or `safetensors`; null for a file without an archive of tensors."""
    size_bytes: int
    """Size of the file."""
    tensors: int | None
    """Number of tensors; null without an archive."""
    values: dict[str, int]
    """Number of values of each type in them."""
    parts: dict[str, int]
    """Number of tensors under each top-level name, in the order of the file."""


class InspectReport(Report):
    """``voicegraph inspect --json``."""

    ok: bool
    """Whether every file could be read."""
    files: list[ModelFile]
    """Model files that could be read."""
    failed: list[FailedFile]
    """Files that could not be read."""
    recordings: list[RecordingSummary] = []
    """Recordings among the files."""


class ConvertReport(Report):
    """``voicegraph convert --json``."""

    source: ModelFile
    """The file that was read."""
    target: ModelFile
    """The written file, read back."""
