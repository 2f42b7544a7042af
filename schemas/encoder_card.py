"""Cards of content encoders, and of files that were trained on one."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

from .card import Card

Family = Literal["hubert-base", "phonetic-conformer"]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Chosen(NamedTuple):
    """Which features of an encoder: after how many layers, and whether projected."""

    layer: int
    project: bool


V1, V2 = Chosen(9, True), Chosen(12, False)
"""Features that RVC voices of each version take, and their indexes hold."""
RVC_FEATURES = {256: V1, 768: V2}
"""The same by the width of the features."""


class EncoderIdentity(BaseModel):
    """Identifies a content encoder by its contents, never by a file name.

    What is null is left open.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    title: str = Field("", max_length=200)
    """Display name; not compared, because one encoder has many names."""
    family: Family
    """Architecture."""
    fingerprint: Fingerprint
    """Distinguishes encoders of the same shapes."""
    layer: int | None = Field(default=None, ge=1)
    """Layer after which the features are taken."""
    projected: bool | None = None
    """Whether the features pass the final projection."""

    def facts(self) -> dict[str, str | int | bool]:
        """The stated facts by name."""
        return self.model_dump(exclude={"title"}, exclude_none=True)


class GivesContent(Card):
    """Base of the cards of content encoders."""

    def giving(self, width: int) -> EncoderIdentity:
        """Identity of its features of that width, as voices take them.

        Raises:
            ValueError: if it has none of that width.
        """
        raise NotImplementedError


class TrainedCard(Card):
    """Base of the cards of files that were trained on one encoder's features."""

    told: ClassVar[tuple[str, ...]] = (*Card.told, "trained_on")

    trained_on: EncoderIdentity | None = None
    """The content encoder that it was trained on, if that is certain."""

    @property
    def content_width(self) -> int:
        """Width of the features that it takes."""
        raise NotImplementedError

    @property
    def unstated(self) -> dict[str, str]:
        """Trainers do not record the encoder in a form that could be compared."""
        return {} if self.trained_on else {"trained_on": "encoder not stated"}

    def trained_with(self, encoder: Card) -> Self:
        """See the base class."""
        if not isinstance(encoder, GivesContent):
            raise ValueError(f"it is of kind {encoder.kind}, not a content encoder")
        identity = encoder.giving(self.content_width)
        return self.model_copy(update={"trained_on": identity})


class EncoderCard(GivesContent):
    """A content encoder."""

    kind: Literal["content-encoder"] = "content-encoder"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `content-encoder`."""
    family: Literal["hubert-base"] = "hubert-base"
    """Architecture; HuBERT base, ContentVec and others share one."""
    sample_rate: int = Field(16000, gt=0)
    """Rate of the audio it takes, in Hz."""
    rate: int = Field(50, gt=0)
    """Features a second, in Hz."""
    hidden: int = Field(gt=0)
    """Width of a layer's output: 768, as voices of version 2 take it."""
    layers: int = Field(gt=0)
    """Transformer layers."""
    heads: int = Field(gt=0)
    """Attention heads of each layer."""
    projection: int | None = Field(None, gt=0)
    """Width after the final projection: 256, as voices of version 1 take it. Null without one."""
    parameters: int = Field(gt=0)
    """Number of parameters."""
    fingerprint: Fingerprint
    """Distinguishes encoders of the same shapes, such as HuBERT and ContentVec: a voice needs the
    one it was trained on. The same for every form of a file, float16 or float32."""

    def identity(self, layer: int | None = None, projected: bool | None = None) -> EncoderIdentity:
        """Identity of the encoder, or of its features at one layer."""
        return EncoderIdentity(
            title=self.title,
            family=self.family,
            fingerprint=self.fingerprint,
            layer=layer,
            projected=projected,
        )

    def giving(self, width: int) -> EncoderIdentity:
        """Its features of that width: of 256 and 768, those that RVC takes.

        Raises:
            ValueError: if it has none.
        """
        widths = {self.hidden, self.projection}
        chosen = RVC_FEATURES.get(width)
        wide = self.projection if chosen and chosen.project else self.hidden
        if width not in widths or (chosen and wide != width):
            has = " or ".join(str(w) for w in sorted(w for w in widths if w))
            raise ValueError(f"its features are of width {has}, and not {width}")
        if chosen is None:
            return self.identity()
        if chosen.layer > self.layers:
            raise ValueError(f"it has {self.layers} layers, and not layer {chosen.layer}")
        return self.identity(*chosen)
