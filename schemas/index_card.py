"""The card of a retrieval index."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .encoder_card import TrainedCard


class IndexCard(TrainedCard):
    """What a FAISS index of content features says of itself."""

    kind: Literal["index"] = "index"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `index`."""
    type: str = Field(max_length=200)
    """FAISS's name for what it is, such as `IndexIVFFlat`; what is inside it in brackets."""
    state: Literal["filled", "trained but empty", "untrained"]
    """Only a filled one can serve. RVC's training writes `trained_*.index`, which is empty, before
    `added_*.index`, which is filled."""
    dimension: int = Field(ge=1)
    """Values a vector: 256 for the features of v1 voices, 768 for those of v2."""
    vectors: int = Field(ge=0)
    """How many vectors it holds."""
    trained: bool
    """Whether vectors can be added."""
    metric: str = Field(max_length=40)
    """How it measures distance: `squared L2` for every index of RVC."""
    lists: int | None = Field(None, ge=1)
    """Into how many inverted lists the vectors are sorted, if they are."""
    probes: int | None = Field(None, ge=0)
    """In how many of these a search looks."""

    unusable: str = Field(default="", max_length=200)
    """Why retrieval cannot use an index of this type; empty if it can."""

    @property
    def content_width(self) -> int:
        """The same as ``dimension``."""
        return self.dimension
