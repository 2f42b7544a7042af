"""The card of an exported network, in the metadata of its file under the key ``voicegraph``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .card import Card
from .export_report import ExportDtype

MODEL_KEY = "voicegraph_model"
"""Key under which a file has the card of the model file that it was made of, as JSON."""


class ExportCard(Card):
    """An exported network: what it is, and of which model."""

    kind: Literal["export"] = "export"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `export`."""
    use: str
    """The node whose network it is, such as `synth.rvc`."""
    dtype: ExportDtype
    """Of its weights."""
    params: dict[str, Any] = Field(default_factory=dict)
    """The node's params; files by their names without folders."""
    files: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of the files that it was made of, by param."""
    axes: dict[str, list[int | str]] = Field(default_factory=dict)
    """Axes of all inputs and outputs by name."""
    state: list[str] = Field(default_factory=list)
    """Inputs that hold what a stream remembers; each comes out as NAME_next."""
    live: dict[str, str] = Field(default_factory=dict)
    """Live params of the node by the inputs that change them: param -> input."""
    fixed: list[str] = Field(default_factory=list)
    """Live params of the node that are fixed in the file, at their value in `params`."""
    made_by: str = ""
    """The versions of voicegraph and PyTorch that wrote it."""
