"""The pitch that a voice speaks with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class VoiceRegister(BaseModel):
    """Median and range of the F0 of a voice."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    median_hz: float = Field(ge=20, le=2000, allow_inf_nan=False)
    """Median F0 of voiced frames, in Hz."""
    low_hz: float | None = Field(default=None, ge=20, le=2000, allow_inf_nan=False)
    """Their 5th percentile, in Hz; null if it is not known."""
    high_hz: float | None = Field(default=None, ge=20, le=2000, allow_inf_nan=False)
    """Their 95th percentile, in Hz; null if it is not known."""
    learned_from: str = Field(default="", max_length=400)
    """What it was measured on, in words."""
