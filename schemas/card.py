"""Cards: what a file of weights says of itself, read from its header or derived from it.

A converted file carries its card as JSON under the key ``voicegraph`` of the safetensors metadata.
Each kind of file has a card model of its own, beside this one.
"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

METADATA_KEY = "voicegraph"
"""Where in a safetensors header a card stands."""


class Card(BaseModel):
    """Base of all cards. Unknown keys are errors: no card of a later version is half understood."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    told: ClassVar[tuple[str, ...]] = ("title", "licence", "source")
    """Fields that no tensor shows: those of a converted file stand in its card alone."""

    kind: str
    """What the file is: `voice`, `content-encoder`, `phonetic-encoder`, `pitch-model`, `index`."""
    title: str = Field(default="", max_length=200)
    """A name for people."""
    licence: str = Field(default="", max_length=2000)
    """Under which terms it may be used, where the owner says so."""
    source: str = Field(default="", max_length=2000)
    """Where it comes from, where known: a file name, a project, a page."""

    @property
    def headline(self) -> str:
        """What matters most, on one line; empty where the kind says it all."""
        return ""

    @property
    def unstated(self) -> dict[str, str]:
        """What matters and the file leaves open, in words, by the field that would say it."""
        return {}

    def trained_with(self, encoder: Card) -> Self:
        """The same card, saying that the file goes with this content encoder.

        Raises:
            ValueError: if it goes with none, or not with that one.
        """
        raise ValueError(f"a file of kind {self.kind} goes with no encoder")
