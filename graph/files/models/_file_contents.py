"""What a file of tensors holds, beside their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voicegraph.schemas.export_card import ExportCard


@dataclass(frozen=True, slots=True)
class FileContents:
    """Read from the headers of a file; the attributes are those of ``Archive``."""

    form: str
    tree: object
    card: dict[str, object] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    export: ExportCard | None = None
