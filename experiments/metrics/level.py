"""Level of the output, and how it follows that of the source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..metric import Heard, Metric, MetricFamily, NotMeasured, Params
from ..registry import family

_BY = "contour.level"
_SPEECH_DB = 20.0
"""Frames of the source within this of its 95th percentile are speech."""


@family("level")
class Level(MetricFamily):
    """Level, clipping, and the level contour against that of the source."""

    text = "level, clipping, and how the level follows the source's"

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``level.rms``, ``.peak``, ``.clipped``, ``.change`` and ``.contour``."""
        del given
        one = (_BY,)
        return (
            Metric(
                "level.rms", "level", lambda heard: float(heard.made[_BY]["rms_db"]),
                made=one, unit="dBFS", span=(-120, np.inf), digits=1,
                text="root mean square of the output, pauses included",
            ),
            Metric(
                "level.peak", "peak level", lambda heard: float(heard.made[_BY]["peak_db"]),
                made=one, unit="dBFS", span=(-120, np.inf), digits=1,
                text="largest sample of the output",
            ),
            Metric(
                "level.clipped", "clipped samples", lambda heard: float(heard.made[_BY]["clipped"]),
                made=one, better="lower", span=(0, 1), digits=5,
                text="share of samples of the output at or above full scale",
            ),
            Metric(
                "level.change", "level change", _change, made=one, source=one,
                unit="dB", ideal=0.0, digits=1,
                text="level of the output minus that of the source",
            ),
            Metric(
                "level.contour", "error of the level contour", _contour, made=one, source=one,
                better="lower", unit="dB",
                span=(0, np.inf), ideal=0.0, digits=2,
                text="standard deviation of the difference of levels in speech, frame by frame",
            ),
        )  # fmt: skip


def _change(heard: Heard) -> float:
    return float(heard.made[_BY]["rms_db"] - heard.source[_BY]["rms_db"])


def _contour(heard: Heard) -> float:
    made, source = heard.made[_BY]["level"], heard.source[_BY]["level"]
    count = min(len(made), len(source))
    speech = source[:count] > np.percentile(source[:count], 95) - _SPEECH_DB
    if not speech.any():
        raise NotMeasured("the source has no speech")
    return float(np.std((made[:count] - source[:count])[speech].astype(np.float64)))
