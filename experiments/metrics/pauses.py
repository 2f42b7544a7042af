"""Pauses of the source: how loud the output is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from ..metric import Heard, Metric, MetricFamily, NotMeasured, Params
from ..registry import family
from .pause_level import loudest_pause, pause_energy, pause_energy_after_onset

_LEVEL = "contour.level"
_NUMBERS = (
    (
        "level", "level in pauses", pause_energy,
        "mean power in the pauses of the source, below speech",
    ),
    (
        "later", "level in pauses after 0.5 s", pause_energy_after_onset,
        "mean power in the pauses after half a second, in which noise estimates settle",
    ),
    ("bursts", "bursts in pauses", loudest_pause, "the loudest 25 ms of the pauses, below speech"),
)  # fmt: skip


class PausesParams(Params):
    """Params of ``pauses``."""

    f0: Literal["swift", "harvest", "dio"] = "swift"
    """Tracker that says where the source is voiced, and so no pause."""


@family("pauses")
class Pauses(MetricFamily):
    """Where the clean source pauses, and the level of the output there."""

    text = "level of the output in the pauses of the source, relative to its speech"
    params = PausesParams

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``pauses.level``, ``pauses.later`` and ``pauses.bursts``."""
        assert isinstance(given, PausesParams)
        both = (_LEVEL, f"f0.{given.f0}")
        return [
            Metric(
                f"pauses.{name}", title, _level(measure, both[1]), made=both, source=both,
                better="lower", unit="dB", span=(-200, 200), digits=1, text=text, monotone=True,
            )
            for name, title, measure, text in _NUMBERS
        ]  # fmt: skip


def _level(
    measure: Callable[[np.ndarray, np.ndarray, np.ndarray], float], tracker: str
) -> Callable[[Heard], float]:
    def found(heard: Heard) -> float:
        # Speech that was not converted is measured in its own pauses.
        clean = heard.source or heard.made
        value = measure(heard.made[_LEVEL]["level"], clean[_LEVEL]["level"], clean[tracker]["f0"])
        if np.isnan(value):
            raise NotMeasured("the source has less than 0.15 s of pauses")
        return value

    return found
