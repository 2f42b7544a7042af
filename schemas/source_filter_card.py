"""The card of a source-filter voice: network sizes, owner, prosody, training."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from .encoder_card import TrainedCard

_FRAMES_HZ = 100


class SourceFilterSizes(BaseModel):
    """Sizes of a source-filter voice's network; bounded, because they decide the memory."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    content: int = Field(default=144, ge=1, le=4096)
    """Width of the content features it takes."""
    channels: int = Field(default=256, ge=1, le=4096)
    """Width of its layers."""
    inner: int = Field(default=640, ge=1, le=16384)
    """Width inside each block."""
    blocks: int = Field(default=6, ge=1, le=64)
    """Number of blocks."""
    taps: int = Field(default=7, ge=2, le=63)
    """Kernel of each block's convolution, in frames."""
    bands: int = Field(default=160, ge=2, le=1024)
    """Bands of each of the two envelopes."""
    sample_rate: int = Field(default=24000, ge=8000, le=96000, multiple_of=_FRAMES_HZ)
    """Sample rate of its output, in Hz."""
    reference_hz: float = Field(default=190.0, ge=20, le=2000, allow_inf_nan=False)
    """Reference F0 in Hz: it is encoded as 0."""

    @property
    def hop(self) -> int:
        """Samples per frame (10 ms)."""
        return self.sample_rate // _FRAMES_HZ

    @property
    def fft(self) -> int:
        """Length of its filters: the smallest power of two of at least four hops."""
        return 1 << (4 * self.hop - 1).bit_length()

    @property
    def bins(self) -> int:
        """Frequency of each envelope band, in Hz."""
        return self.fft // 2 + 1


class Prosody(BaseModel):
    """Pitch and level of a voice; other speakers are shifted to them."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    median_hz: float = Field(ge=20, le=2000, allow_inf_nan=False)
    """Median F0 of voiced frames, in Hz."""
    spread: float = Field(ge=0, le=36, allow_inf_nan=False)
    """Standard deviation of F0 of voiced frames, in semitones."""
    loud_db: float = Field(ge=-70, le=10, allow_inf_nan=False)
    """95th percentile of the level of speech, in dB of full scale."""


class Consent(BaseModel):
    """Consent of the owner of a voice."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    owner: str = Field(min_length=1, max_length=200)
    """Name of the owner."""
    statement: str = Field(min_length=1, max_length=1000)
    """The statement that was agreed to."""
    given: date
    """Date and time."""
    how: Literal["typed at a terminal", "given on the command line"]
    """How the consent was given."""


class SourceFilterCard(TrainedCard):
    """A source-filter voice, with content features of its training for retrieval."""

    told: ClassVar[tuple[str, ...]] = (
        *TrainedCard.told,
        "description",
        "consent",
        "prosody",
        "trained",
    )

    kind: Literal["source-filter-voice"] = "source-filter-voice"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Kind of the file."""
    description: str = Field("", max_length=4000)
    """Whose voice it is, its training material, and its intended use."""
    consent: Consent | None = None
    """The owner's consent, if the voice is a person's."""
    sizes: SourceFilterSizes
    """Sizes of its network."""
    prosody: Prosody
    """Pitch and level of the voice."""
    vectors: int = Field(ge=0)
    """Content features for `retrieval.faiss`; 0 if it has none."""
    parameters: int = Field(ge=0)
    """Number of parameters."""
    trained: dict[str, str] = Field(default_factory=dict)
    """How it was trained: material, time, losses."""

    @property
    def headline(self) -> str:
        """The card on one line."""
        about = f"{self.sizes.sample_rate} Hz, around {self.prosody.median_hz:.0f} Hz"
        return f"{about}, {self.vectors} vectors for retrieval" if self.vectors else about

    @property
    def content_width(self) -> int:
        """Width of the content it takes."""
        return self.sizes.content
