"""Bundled live pipelines on sound devices of any usual rate."""

from __future__ import annotations

from fractions import Fraction

import pytest

from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.signals import Audio

_ALIGNED_MS = 20
"""The encoder's frames: at other rates its look-ahead may be rounded up by as much."""
_RESAMPLERS_MS = 10
"""Filters of two resamplers."""


@pytest.mark.parametrize("source", [16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("target", [44100, 48000])
def test_default_live_compiles_for_devices_of_any_rate(source: int, target: int) -> None:
    pipeline = Pipeline.load("default-live")
    own = pipeline.compile().latency.algorithmic
    plan = pipeline.compile(Audio(Fraction(source), 1), Audio(Fraction(target), 2))
    more_ms = 1e3 * float(plan.latency.algorithmic - own)
    assert 0 <= more_ms <= _ALIGNED_MS + _RESAMPLERS_MS
