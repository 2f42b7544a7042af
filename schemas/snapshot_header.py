"""What a snapshot's file holds besides tensors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from voicegraph.schemas.engine_setup import EngineSetup
from voicegraph.schemas.report import Report


class SnapshotHeader(Report):
    """The JSON in the metadata of a snapshot's safetensors file."""

    plan: Annotated[str, Field(min_length=1, max_length=1000)]
    """Hash of the plan."""
    position: Annotated[int, Field(strict=True, ge=0, le=1 << 53)]
    """Ticks processed."""
    params: dict[str, list[dict[str, Any]]]
    """Live params by node: one entry for each stream, or one for all of them. The values are as
    ``graph/runtime/param_values.py`` writes them."""
    setup: EngineSetup | None = None
    """How the engine was set up; null in files of older versions."""
