"""Computing time and memory of a plan, measured on the bundled recording on one machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from ..metric import Metric, MetricFamily, Params
from ..registry import family
from ._plan_figure import plan_figure


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
        return (
            plan_figure(
                "cost.cpu_ms", "CPU", "ms", "CPU time of a block: steady on a busy machine, too"
            ),
            plan_figure("cost.wall_ms", "time", "ms", "median time of a block by the clock"),
            plan_figure("cost.undisturbed_ms", "undisturbed", "ms", "least median of 20 parts"),
            plan_figure("cost.p99_ms", "p99", "ms", "99th percentile of the time of a block"),
            plan_figure("cost.max_ms", "longest", "ms", "longest block"),
            plan_figure(
                "cost.rtf", "RTF", "", "real-time factor: time by the clock by the block", 4
            ),
            plan_figure("cost.cpu_rtf", "cores", "", "share of a core: CPU time by the block", 4),
            plan_figure("cost.memory_mb", "memory", "MB", "weights, states and histories", 1),
        )
