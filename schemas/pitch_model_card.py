"""The card of a pitch model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .card import Card


class PitchModelCard(Card):
    """A network that estimates F0."""

    kind: Literal["pitch-model"] = "pitch-model"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `pitch-model`."""
    architecture: Literal["rmvpe"] = "rmvpe"
    """Architecture."""
    sample_rate: int = Field(gt=0)
    """Rate of the audio it takes, in Hz."""
    mels: int = Field(gt=0)
    """Mel bands of its input."""
    bins: int = Field(gt=0)
    """Pitch bins of its output, 20 cents each."""
    parameters: int = Field(gt=0)
    """Number of parameters."""
