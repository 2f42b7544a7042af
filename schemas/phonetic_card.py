"""The card of a phonetic encoder."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from .card import Card
from .encoder_card import EncoderIdentity, Fingerprint, GivesContent

LAYER = 3
"""Default block whose features voices and indexes take: the last block recognises phones better
and sounds worse."""


class PhoneticCard(GivesContent):
    """A phonetic encoder: a Conformer trained to recognise phones."""

    told: ClassVar[tuple[str, ...]] = (*Card.told, "training_data", "tokens", "space")

    kind: Literal["phonetic-encoder"] = "phonetic-encoder"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `phonetic-encoder`."""
    family: Literal["phonetic-conformer"] = "phonetic-conformer"
    """Architecture."""
    training_data: str = Field("", max_length=2000)
    """Training data, if known."""
    sample_rate: int = Field(16000, gt=0)
    """Rate of the audio it takes, in Hz."""
    rate: int = Field(50, gt=0)
    """Features a second, in Hz."""
    hidden: int = Field(gt=0, le=4096)
    """Width of its features."""
    blocks: int = Field(gt=0, le=64)
    """Conformer blocks; features can be taken after each."""
    heads: int = Field(gt=0, le=64)
    """Attention heads of each block."""
    tokens: tuple[str, ...] = Field(max_length=4096)
    """Phones in the order of its outputs, in IPA; `<blank>` among them."""
    parameters: int = Field(gt=0)
    """Number of parameters."""
    fingerprint: Fingerprint
    """Distinguishes encoders of the same shapes."""
    space: EncoderIdentity | None = None
    """The encoder whose features it was trained to give, after the same block: voices and indexes
    of that encoder take its features. Null: the features are its own."""

    @property
    def headline(self) -> str:
        """Such as `144 values at 50 Hz, 4 blocks`."""
        return f"{self.hidden} values at {self.rate} Hz, {self.blocks} blocks"

    @property
    def unstated(self) -> dict[str, str]:
        """The training data, if the file does not state it."""
        return {} if self.training_data else {"training_data": "training data not stated"}

    def identity(self, layer: int | None = None) -> EncoderIdentity:
        """Identity of the encoder, or of its features after one block, which may be another's."""
        if self.space is not None and self.space.layer == layer:
            return self.space
        return EncoderIdentity(
            title=self.title, family=self.family, fingerprint=self.fingerprint, layer=layer
        )

    def giving(self, width: int) -> EncoderIdentity:
        """Its features of that width: those after block 3, or after the last of fewer blocks.

        Raises:
            ValueError: if it has none.
        """
        if width != self.hidden:
            raise ValueError(f"its features are of width {self.hidden}, and not {width}")
        return self.identity(min(LAYER, self.blocks))
