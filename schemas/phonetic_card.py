"""The card of a phonetic encoder."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from .card import Card
from .encoder_card import EncoderIdentity, Fingerprint, GivesContent

LAYER = 3
"""The block whose features voices and indexes take, where nothing else is said: the last one knows
phones better and sounds worse."""


class PhoneticCard(GivesContent):
    """What a file of a phonetic encoder holds: a Conformer that was trained to name phones."""

    told: ClassVar[tuple[str, ...]] = (*Card.told, "training_data", "tokens")

    kind: Literal["phonetic-encoder"] = "phonetic-encoder"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `phonetic-encoder`."""
    family: Literal["phonetic-conformer"] = "phonetic-conformer"
    """Which architecture."""
    training_data: str = Field("", max_length=2000)
    """What it was trained on, where that is known."""
    sample_rate: int = Field(16000, gt=0)
    """Rate of the audio it takes, in Hz."""
    rate: int = Field(50, gt=0)
    """Features a second, in Hz."""
    hidden: int = Field(gt=0, le=4096)
    """Width of its features."""
    blocks: int = Field(gt=0, le=64)
    """Conformer blocks: features may be taken after each."""
    heads: int = Field(gt=0, le=64)
    """Attention heads of each block."""
    tokens: tuple[str, ...] = Field(max_length=4096)
    """The phones that it tells apart, in the order of its outputs, in IPA; `<blank>` among them."""
    parameters: int = Field(gt=0)
    """How many numbers it holds."""
    fingerprint: Fingerprint
    """Tells encoders of the same shapes apart."""

    @property
    def headline(self) -> str:
        """Such as `144 values at 50 Hz, 4 blocks`."""
        return f"{self.hidden} values at {self.rate} Hz, {self.blocks} blocks"

    @property
    def unstated(self) -> dict[str, str]:
        """The training data, where nobody wrote it down."""
        return {} if self.training_data else {"training_data": "training data not stated"}

    def identity(self, layer: int | None = None) -> EncoderIdentity:
        """What tells it, or its features after one block, from others."""
        return EncoderIdentity(
            title=self.title, family=self.family, fingerprint=self.fingerprint, layer=layer
        )

    def giving(self, width: int) -> EncoderIdentity:
        """Its features of that width: those after block 3, or the last of fewer.

        Raises:
            ValueError: if it has none.
        """
        if width != self.hidden:
            raise ValueError(f"its features are of width {self.hidden}, and not {width}")
        return self.identity(min(LAYER, self.blocks))
