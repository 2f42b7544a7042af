"""Conditions that a compressed index has to fulfil, such as ``blend<=.02``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from voicegraph.graph.comparison.limits import Limit, parse_limits
from voicegraph.graph.comparison.measures import Measure
from voicegraph.schemas.index_report import AudioDeviation, IndexLimit, SearchReport

_MEASURES = (
    Measure("blend", "blend", "low", (), "", "error of the blended features", ".02"),
    Measure("mean", "mean", "low", (), "", "error of the mean of the neighbours", ".05"),
    Measure("recall", "recall", "high", (), "", "share of the nearest vectors found", ".9"),
    Measure("cosine", "cosine", "high", (), "", "cosine of the mean", ".999"),
    Measure("size", "size", "low", (), "MB", "size of the index", "20MB"),
    Measure("time", "search_ms", "low", (), "ms", "time of a search of 12 frames", "2ms"),
    Measure("snr", "snr_db", "high", (), "dB", "signal-to-noise ratio of the sound", "30dB"),
    Measure("lsd", "lsd_db", "low", (), "dB", "log-spectral distance of the sound", "0.5dB"),
)
MEASURES = {measure.name: measure for measure in _MEASURES}
"""By name."""
_HEARD = ("snr", "lsd")
"""Measures of the sound, which ``--on`` makes."""


def parse(texts: Sequence[str]) -> list[Limit]:
    """Parses conditions.

    Raises:
        PipelineError: with every mistake, and what was probably meant.
    """
    return parse_limits(texts, MEASURES)


def judge(
    limits: Sequence[Limit], found: SearchReport, audio: AudioDeviation | None
) -> list[IndexLimit]:
    """Judges every condition."""
    return [_judge(limit, found, audio) for limit in limits]


def verdict(limits: Sequence[IndexLimit]) -> bool | None:
    """Whether all hold; None if there are none, or one could not be judged."""
    if any(limit.ok is False for limit in limits):
        return False
    return True if limits and all(limit.ok for limit in limits) else None


def _judge(limit: Limit, found: SearchReport, audio: AudioDeviation | None) -> IndexLimit:
    name = limit.measure.name
    if name in _HEARD and audio is None:
        why = "it is about the sound, which --on FILE --through PIPELINE measures"
        return IndexLimit(limit=limit.text, found=None, ok=None, why=why)
    if name == "snr" and audio is not None and audio.snr_db is None:
        return IndexLimit(limit=limit.text, found=None, ok=True, why="the sounds are equal")
    value = _value(limit, found, audio)
    if value is None or math.isnan(value):
        return IndexLimit(limit=limit.text, found=None, ok=None, why="it could not be measured")
    return IndexLimit(limit=limit.text, found=value, ok=limit.holds(value), why=None)


def _value(limit: Limit, found: SearchReport, audio: AudioDeviation | None) -> float | None:
    if limit.measure.name == "size":
        return found.size_bytes / 1e6
    return getattr(audio if limit.measure.name in _HEARD else found, limit.measure.field)
