"""Clips through pipelines by the package's own driver: block by block, as live sessions run."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.graph.files.sound.file_conversion import convert_file
from voicegraph.graph.files.sound.input_conversion import Route
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.signals import Audio

from ._rows import Row
from .clips import Clip

FORMANTS = 12 * float(np.log2(1.16))
"""Semitones between the formants of men and women."""

Overrides = tuple[tuple[str, Any], ...]


def overrides(row: Row, clip: Clip | None = None) -> Overrides:
    """What is set in the row's pipeline.

    Args:
        row: a row of kind ``pipeline``.
        clip: whose speaker a row with ``match`` is set for; without one, as the pipeline is.
    """
    if row.match != "transpose":
        given: dict[str, Any] = {"vars.voice": str(row.voice.path)}
        if row.match == "start" and clip is not None:
            given["vars.start"] = clip.median_hz
        return (*row.overrides, *given.items())
    if clip is None:
        return row.overrides
    moved = 12 * np.log2(row.voice.median_hz / clip.median_hz)
    formants = FORMANTS * ((row.voice.sex == "F") - (clip.sex == "F"))
    given = {"vars.transpose": round(float(moved), 3), "vars.formant": round(formants, 3)}
    return (*row.overrides, *given.items())


@functools.lru_cache(maxsize=2)
def pipeline(name: str, given: Overrides) -> tuple[Pipeline, dict[Audio, Route]]:
    """A pipeline, and its plans with weights by the type of input; rows come one after another.

    Raises:
        PipelineError: with every mistake found.
    """
    return Pipeline.load(name, dict(given)), {}


def convert(row: Row, clip: Clip, heard: Path, made: Path) -> None:
    """One clip of one row: aligned and as long as what was heard.

    Raises:
        VoicegraphError: if it cannot be converted.
    """
    ready, routes = pipeline(row.pipeline, overrides(row, clip))
    made.parent.mkdir(parents=True, exist_ok=True)
    convert_file(ready, heard, made, force=True, routes=routes)
