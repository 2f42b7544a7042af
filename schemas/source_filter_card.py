"""The card of a source-filter voice: sizes of its network, whose voice it is, its training."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from .encoder_card import TrainedCard

_FRAMES_HZ = 100


class SourceFilterSizes(BaseModel):
    """Sizes of a source-filter voice's network, bounded: memory is taken by them."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    content: int = Field(default=144, ge=1, le=4096)
    """Width of the content features it takes."""
    channels: int = Field(default=256, ge=1, le=4096)
    """Width of its layers."""
    inner: int = Field(default=640, ge=1, le=16384)
    """Width inside each block."""
    blocks: int = Field(default=6, ge=1, le=64)
    """How many blocks there are."""
    taps: int = Field(default=7, ge=2, le=63)
    """Frames under each block's convolution."""
    bands: int = Field(default=160, ge=2, le=1024)
    """Bands of each of the two envelopes."""
    sample_rate: int = Field(default=24000, ge=8000, le=96000, multiple_of=_FRAMES_HZ)
    """Samples a second of the sound it makes."""
    reference_hz: float = Field(default=190.0, ge=20, le=2000, allow_inf_nan=False)
    """F0 that it hears as 0."""

    @property
    def hop(self) -> int:
        """Samples from frame to frame: 10 ms."""
        return self.sample_rate // _FRAMES_HZ

    @property
    def fft(self) -> int:
        """Length of its filters: the power of two from four hops on."""
        return 1 << (4 * self.hop - 1).bit_length()

    @property
    def bins(self) -> int:
        """Of its envelopes."""
        return self.fft // 2 + 1


class Prosody(BaseModel):
    """Where a voice lies: what other speakers' pitch and level are brought to."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    median_hz: float = Field(ge=20, le=2000, allow_inf_nan=False)
    """Median of F0 over what is voiced."""
    spread: float = Field(ge=0, le=36, allow_inf_nan=False)
    """Standard deviation of F0 over what is voiced, in semitones."""
    loud_db: float = Field(ge=-70, le=10, allow_inf_nan=False)
    """Level that speech exceeds 5 % of the time, in dB of full scale (its 95th percentile)."""


class Consent(BaseModel):
    """That the owner of a voice agrees to it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    owner: str = Field(min_length=1, max_length=200)
    """Whose voice it is."""
    statement: str = Field(min_length=1, max_length=1000)
    """What was agreed to."""
    given: date
    """When."""
    how: Literal["typed at a terminal", "given on the command line"]
    """How it was said."""


class SourceFilterCard(TrainedCard):
    """A source-filter voice, with the content features of its training to retrieve from."""

    told: ClassVar[tuple[str, ...]] = (
        *TrainedCard.told,
        "description",
        "consent",
        "prosody",
        "trained",
    )

    kind: Literal["source-filter-voice"] = "source-filter-voice"  # pyright: ignore[reportIncompatibleVariableOverride]
    """What the file is."""
    description: str = Field("", max_length=4000)
    """Whose voice it is, what it was made of, and what it is good for."""
    consent: Consent | None = None
    """The owner's, where the voice is a person's."""
    sizes: SourceFilterSizes
    """Sizes of its network."""
    prosody: Prosody
    """Pitch and level of the voice."""
    vectors: int = Field(ge=0)
    """Content features that it brings for `retrieval.faiss`, 0 for none."""
    parameters: int = Field(ge=0)
    """Numbers in the weights."""
    trained: dict[str, str] = Field(default_factory=dict)
    """How it was trained: material, time, losses."""

    @property
    def headline(self) -> str:
        """The same in short."""
        about = f"{self.sizes.sample_rate} Hz, around {self.prosody.median_hz:.0f} Hz"
        return f"{about}, {self.vectors} vectors to retrieve from" if self.vectors else about

    @property
    def content_width(self) -> int:
        """Width of the content it takes."""
        return self.sizes.content
