"""Cards: a description of a model file, read from its header or derived from it.

A converted file carries its card as JSON under the key ``voicegraph`` of the safetensors metadata.
Each kind of file has a card model of its own, beside this one.
"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

METADATA_KEY = "voicegraph"
"""Key of the card in a safetensors header."""


class Card(BaseModel):
    """Base of all cards. Unknown keys are errors, so that no later version is misread."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    told: ClassVar[tuple[str, ...]] = ("title", "licence", "source")
    """Fields that cannot be derived from tensors; only the card of a converted file has them."""

    kind: str
    """What the file is: `voice`, `content-encoder`, `phonetic-encoder`, `pitch-model`, `index`."""
    title: str = Field(default="", max_length=200)
    """Display name."""
    licence: str = Field(default="", max_length=2000)
    """Licence, if the owner states one."""
    source: str = Field(default="", max_length=2000)
    """Origin, if known: a file name, a project, a page."""
    remarks: tuple[str, ...] = ()
    """What the file states and its tensors contradict; the tensors are believed."""
    unusable: str = Field(default="", max_length=500)
    """Why no pipeline can use the model; empty if one can."""

    def stored(self) -> str:
        """The card as JSON for the header of a file.

        ``unusable`` is not stored, since another version may be able to use the model; nor are
        remarks, if there are none.
        """
        left_out = {"unusable"} if self.remarks else {"unusable", "remarks"}
        return self.model_dump_json(exclude=left_out)

    @property
    def headline(self) -> str:
        """The most important facts on one line; empty if the kind is enough."""
        return ""

    @property
    def unstated(self) -> dict[str, str]:
        """Facts that matter and that the file does not state: a sentence by field name."""
        return {}

    def trained_with(self, encoder: Card) -> Self:
        """The same card, stating that the file was trained on this content encoder.

        Raises:
            ValueError: if the file is trained on no encoder, or not on that one.
        """
        raise ValueError(f"a file of kind {self.kind} is trained on no encoder")
