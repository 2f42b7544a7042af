"""Latency of a plan: it follows from the graph, and is not measured."""

from __future__ import annotations

from collections.abc import Sequence

from ..metric import Metric, MetricFamily, Params
from ..registry import family
from ._plan_figure import plan_figure

_FIGURES: tuple[tuple[str, str, str, str, int], ...] = (
    ("algorithmic_ms", "algorithmic latency", "ms", "look-ahead of the graph: how late", 1),
    ("buffering_ms", "buffering latency", "ms", "waiting for a whole block", 1),
)
"""Name, title, unit, text, digits."""


@family("latency")
class Latency(MetricFamily):
    """What the compiler knows; buffers of devices come on top of it in live sessions."""

    text = "latency of a plan, from the graph: nothing is measured"

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``latency.algorithmic_ms`` and ``latency.buffering_ms``."""
        del given
        return [
            plan_figure(f"latency.{name}", title, unit, text, digits)
            for name, title, unit, text, digits in _FIGURES
        ]
