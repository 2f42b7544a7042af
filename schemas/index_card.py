"""The card of a retrieval index."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .encoder_card import TrainedCard


class IndexCard(TrainedCard):
    """A FAISS index of content features."""

    kind: Literal["index"] = "index"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `index`."""
    type: str = Field(max_length=200)
    """FAISS's type name, such as `IndexIVFFlat`; nested types in brackets."""
    state: Literal["filled", "trained but empty", "untrained"]
    """Only a filled index can be searched. RVC's training writes `trained_*.index`, empty, before
    `added_*.index`, which is filled."""
    dimension: int = Field(ge=1)
    """Values per vector: 256 for v1 voices, 768 for v2."""
    vectors: int = Field(ge=0)
    """Number of vectors."""
    trained: bool
    """Whether vectors can be added."""
    metric: str = Field(max_length=40)
    """Distance: `squared L2` for every index of RVC."""
    lists: int | None = Field(None, ge=1)
    """Number of inverted lists, if it has them."""
    probes: int | None = Field(None, ge=0)
    """Inverted lists that a search visits."""

    @property
    def content_width(self) -> int:
        """The same as ``dimension``."""
        return self.dimension
