"""Computing time and memory of a plan, measured on the bundled recording on one machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from ..metric import Metric, MetricFamily, Params
from ..registry import family
from ._plan_figure import plan_figure

_FIGURES: tuple[tuple[str, str, str, str, int], ...] = (
    ("cpu_ms", "CPU time of a block", "ms", "steady on a busy machine, too", 2),
    ("wall_ms", "time of a block", "ms", "median, by the clock", 2),
    ("undisturbed_ms", "undisturbed time of a block", "ms", "least median of 20 parts", 2),
    ("p99_ms", "time of a block, p99", "ms", "99th percentile, by the clock", 2),
    ("max_ms", "time of the longest block", "ms", "by the clock", 2),
    ("rtf", "real-time factor", "", "time by the clock by the block", 4),
    ("cpu_rtf", "share of a core", "", "CPU time by the block", 4),
    ("memory_mb", "memory", "MB", "weights, states and histories", 1),
)
"""Name, title, unit, text, digits."""


class CostParams(Params):
    """Params of ``cost``."""

    blocks: Annotated[int, Field(ge=20, le=100_000)] = 100
    """Blocks that are measured, at least."""
    quiet: bool = True
    """Whether nothing else of the experiment runs on the machine meanwhile."""


@family("cost")
class Cost(MetricFamily):
    """Taken in turns with the baseline, so that the difference has an interval."""

    text = "computing time and memory of a plan, in turns with the baseline"
    params = CostParams

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``cost.cpu_ms`` and so on; the table of costs has those of nodes, too."""
        del given
        return [
            plan_figure(f"cost.{name}", title, unit, text, digits)
            for name, title, unit, text, digits in _FIGURES
        ]
