"""Delay against reserve: which block and profile of a pipeline ``quick`` and the others are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voicegraph.schemas.app import DEFAULT_QUALITY, QualityId


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """What a quality changes of a pipeline.

    Attributes:
        profile: of the pipeline; None: none.
        overrides: beside it.
    """

    profile: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)


TITLES: Mapping[QualityId, tuple[str, str]] = {
    "quick": ("Quick", "The least delay, for fast computers and for calls."),
    "balanced": ("Balanced", "Some delay, and reserve for other programs."),
    "safe": ("Safe", "The steadiest voice and the most reserve, with more delay."),
}
"""Title and sentence of each quality."""

_LIVE: Mapping[str, Mapping[QualityId, QualitySettings]] = {
    "default-live": {
        "quick": QualitySettings("quick"),
        "balanced": QualitySettings(overrides={"block": "60ms"}),
        "safe": QualitySettings("steady"),
    },
    "rvc-live": {
        "quick": QualitySettings("quick"),
        "balanced": QualitySettings(),
        "safe": QualitySettings("steady"),
    },
    "rvc": {
        "quick": QualitySettings(overrides={"block": "160ms"}),
        "balanced": QualitySettings(),
        "safe": QualitySettings(overrides={"block": "480ms"}),
    },
}
_ANY: Mapping[QualityId, QualitySettings] = {DEFAULT_QUALITY: QualitySettings()}


def qualities_of(pipeline: str) -> Mapping[QualityId, QualitySettings]:
    """The qualities of a shipped pipeline; only ``balanced`` for one that is not listed."""
    return _LIVE.get(pipeline, _ANY)


def is_live(pipeline: str) -> bool:
    """Whether a shipped pipeline is meant for talking."""
    return pipeline in _LIVE
