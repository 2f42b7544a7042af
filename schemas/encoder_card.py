"""The card of a content encoder."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .card import Card


class EncoderCard(Card):
    """What a file of a content encoder holds."""

    kind: Literal["content-encoder"] = "content-encoder"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `content-encoder`."""
    family: Literal["hubert-base"] = "hubert-base"
    """Which architecture: HuBERT base, ContentVec and others share one."""
    sample_rate: int = Field(16000, gt=0)
    """Rate of the audio it takes, in Hz."""
    rate: int = Field(50, gt=0)
    """Features a second, in Hz."""
    hidden: int = Field(gt=0)
    """Width of what its layers give: 768, as voices of version 2 take it."""
    layers: int = Field(gt=0)
    """Transformer layers."""
    heads: int = Field(gt=0)
    """Attention heads of each layer."""
    projection: int | None = Field(None, gt=0)
    """Width behind its final projection: 256, as voices of version 1 take it. Null without one."""
    parameters: int = Field(gt=0)
    """How many numbers it holds."""
    fingerprint: str = Field(pattern=r"^[0-9a-f]{16}$")
    """Tells encoders of the same shapes apart, HuBERT from ContentVec: a voice goes with the one it
    was trained on. The same for every form of a file, float16 or float32."""
