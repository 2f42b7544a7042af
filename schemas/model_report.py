"""What ``voicegraph inspect --json`` and ``convert --json`` print."""

from __future__ import annotations

from typing import Any

from voicegraph.schemas.file_report import FailedFile
from voicegraph.schemas.report import Report


class ModelFile(Report):
    """A model file, as far as its header tells."""

    path: str
    """As it was named."""
    kind: str | None
    """`voice`, `content-encoder`, `phonetic-encoder`, `pitch-model` or `index`; null if it is
    none of them."""
    description: str
    """What it is, in words."""
    card: dict[str, Any] | None
    """What is known of it; the keys depend on the kind."""
    unstated: dict[str, str]
    """What matters and the file leaves open, in words, by the card's key that would say it."""
    form: str | None
    """`torch`, `torch-legacy` or `safetensors`; null for a file without an archive of tensors."""
    size_bytes: int
    """Size of the file."""
    tensors: int | None
    """How many tensors it holds; null without an archive."""
    values: dict[str, int]
    """How many numbers of each type they hold."""
    parts: dict[str, int]
    """Tensors below each name at the top, in the order of the file."""


class InspectReport(Report):
    """``voicegraph inspect --json``."""

    ok: bool
    """Whether every file could be read."""
    files: list[ModelFile]
    """Those that could."""
    failed: list[FailedFile]
    """Those that could not."""


class ConvertReport(Report):
    """``voicegraph convert --json``."""

    source: ModelFile
    """The file that was read."""
    target: ModelFile
    """The file that was written, as it was read back."""
