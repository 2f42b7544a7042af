"""Voicing decisions: what is voiced in the output, and what should be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..metric import Heard, Metric, MetricFamily, NotMeasured, Params
from ..registry import family
from ._f0_reference import Reference, known_f0, observer_of


class VoicingParams(Params):
    """Params of ``voicing``."""

    reference: Reference = "harvest+stonemask"
    """Tracker that says what is voiced, where it is not known (condition ``truth``)."""


@family("voicing")
class Voicing(MetricFamily):
    """The two ways in which voicing can be wrong."""

    text = "voiced frames of the source that are unvoiced in the output, and the reverse"
    params = VoicingParams

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``voicing.missed`` and ``voicing.added``; ``f0.voicing`` has them in one."""
        assert isinstance(given, VoicingParams)
        by = observer_of(given.reference)
        return [
            Metric(
                f"voicing.{name}", title, _share(by, voiced), made=(by,), source=(by,),
                better="lower", span=(0, 1), ideal=0.0, text=text,
            )
            for name, title, voiced, text in (
                ("missed", "voiced frames missed", True,
                 "share of the voiced frames of the source that are unvoiced in the output"),
                ("added", "unvoiced frames voiced", False,
                 "share of the unvoiced frames of the source that are voiced in the output"),
            )
        ]  # fmt: skip


def _share(by: str, voiced: bool) -> Callable[[Heard], float]:
    def measure(heard: Heard) -> float:
        source, made = known_f0(heard, by) > 0, heard.made[by]["f0"] > 0
        count = min(len(source), len(made))
        chosen = source[:count] == voiced
        if not chosen.any():
            raise NotMeasured(f"the source has no {'voiced' if voiced else 'unvoiced'} frame")
        return float(np.mean(made[:count][chosen] != voiced))

    return measure
