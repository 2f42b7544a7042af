"""The card of a pitch model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .card import Card


class PitchModelCard(Card):
    """What a file of a network that finds F0 holds."""

    kind: Literal["pitch-model"] = "pitch-model"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `pitch-model`."""
    architecture: Literal["rmvpe"] = "rmvpe"
    """Which network it is."""
    sample_rate: int = Field(gt=0)
    """Rate of the audio it takes, in Hz."""
    mels: int = Field(gt=0)
    """Mel bands it looks at."""
    bins: int = Field(gt=0)
    """Steps of pitch that it tells apart, 20 cents each."""
    parameters: int = Field(gt=0)
    """How many numbers it holds."""
