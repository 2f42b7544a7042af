"""Converts clips with the driver of ``voicegraph run``: block by block, like live sessions."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.graph.files.sound.file_conversion import convert_file
from voicegraph.graph.files.sound.input_conversion import ConversionPlan
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.signals import Audio

from ._rows import Row
from .clips import Clip

FORMANTS = 12 * float(np.log2(1.16))
"""Formant shift from men to women, in semitones."""

Overrides = tuple[tuple[str, Any], ...]


def overrides(row: Row, clip: Clip | None = None) -> Overrides:
    """The overrides of a row's pipeline.

    Args:
        row: a row of kind ``pipeline``.
        clip: a row with ``match`` is adapted to its speaker; None leaves the pipeline as it is.
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
def pipeline(name: str, given: Overrides) -> tuple[Pipeline, dict[Audio, ConversionPlan]]:
    """A pipeline, and a cache of its loaded plans by input type; rows are converted in order.

    Raises:
        PipelineError: with every mistake found.
    """
    return Pipeline.load(name, dict(given)), {}


def convert(row: Row, clip: Clip, source: Path, made: Path) -> None:
    """Converts one clip; the output is time-aligned with the source and equally long.

    Raises:
        VoicegraphError: if it cannot be converted.
    """
    ready, plans = pipeline(row.pipeline, overrides(row, clip))
    made.parent.mkdir(parents=True, exist_ok=True)
    convert_file(ready, source, made, force=True, plans=plans)
