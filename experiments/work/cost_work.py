"""Measures what a system costs, in turns with the one that it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.graph import machine
from voicegraph.graph.metrics.benchmark import describe_machine, undisturbed_ms
from voicegraph.graph.metrics.cost_in_turns import SystemCost, measure_in_turns
from voicegraph.graph.metrics.mean_interval import mean_interval
from voicegraph.graph.metrics.shift_interval import shift_interval
from voicegraph.graph.pipeline import Plan
from voicegraph.schemas.engine_setup import EngineSetup

from ..task import Result, Results
from .files import outside_package
from .pipeline_data import PipelineData, engine_setup, load

Figure = dict[str, Any]
"""``name``, ``unit``, ``value`` and so on, as a row of the table of costs has them."""


@dataclass(frozen=True, slots=True)
class CostSystem:
    """A pipeline whose costs are measured.

    Attributes:
        pipeline: the pipeline.
        precisions: of nodes with ``dtype: auto``, as the driver decided.
        threads: numeric threads.
    """

    pipeline: PipelineData
    precisions: tuple[tuple[str, str], ...] = ()
    threads: int = 1

    def opened(self) -> tuple[Plan, EngineSetup]:
        """Its plan, compiled anew, and its setup."""
        plan = load(self.pipeline).pipeline.compile()
        return plan, engine_setup(self.threads, dict(self.precisions))

    def with_files(self, places: Mapping[Path, Path]) -> CostSystem:
        """The same, reading its files from other places."""
        return replace(self, pipeline=self.pipeline.with_files(places))


@dataclass(frozen=True, slots=True)
class CostWork:
    """Computing time and memory of a system.

    Attributes:
        system: what is measured.
        against: what it takes turns with; None if it runs alone.
        blocks: blocks of each that are measured at least.
    """

    system: CostSystem
    against: CostSystem | None = None
    blocks: int = 100

    def files(self) -> Mapping[Path, str]:
        """See :class:`~voicegraph.experiments.task.Work`."""
        return {
            path: sha256
            for each in self._systems()
            for path, sha256 in outside_package(each.pipeline.contents).items()
        }

    def with_files(self, places: Mapping[Path, Path]) -> CostWork:
        """See :class:`~voicegraph.experiments.task.Work`."""
        against = self.against and self.against.with_files(places)
        return replace(self, system=self.system.with_files(places), against=against)

    def run(self, needs: Results) -> Result:
        """The times ``[repetitions, blocks]`` as arrays, and the figures of them.

        Raises:
            VoicegraphError: if a system cannot run.
        """
        del needs
        found = measure_in_turns([each.opened for each in self._systems()], self.blocks)
        measured = found[0]
        arrays = {
            f"{side}.{name}": values
            for side, cost in zip(("system", "against"), found, strict=False)
            for name, values in (("cpu_ns", cost.cpu), ("wall_ns", cost.wall))
        }
        about = {
            "figures": figures(*found),
            "machine": machine.cpu_model(),
            "facts": describe_machine().model_dump(mode="json"),
            "rounds": len(measured.cpu),
            "blocks": int(measured.cpu.size),
            "threads": self.system.threads,
        }
        return Result(arrays, about)

    def _systems(self) -> list[CostSystem]:
        return [self.system] if self.against is None else [self.system, self.against]


def figures(cost: SystemCost, against: SystemCost | None = None) -> list[Figure]:
    """The figures of a system; with another, differences from it: system minus other.

    Times are of a block and in ms: ``cpu_ms`` and ``node.NAME.cpu_ms`` CPU time of the thread,
    ``wall_ms`` by the clock, ``p99_ms`` and ``max_ms`` of that, ``undisturbed_ms`` the least median
    of 20 parts of the run. ``rtf`` is time by the clock per second of sound, ``cpu_rtf`` CPU time:
    the share of a core. ``memory_mb`` is that of weights, states and histories.

    Intervals of values are over repetitions by Student's t, those of differences by the signed-rank
    test, since on a busy machine some repetitions are far more disturbed than others.
    """
    means = [_by_repetition(each) for each in (cost, against) if each is not None]
    found = [
        _figure(name, _unit(name), values, means[1].get(name) if len(means) > 1 else None)
        for name, values in means[0].items()
    ]
    sizes = {
        "p99_ms": lambda c: float(np.percentile(c.wall, 99) / 1e6),
        "max_ms": lambda c: float(c.wall.max() / 1e6),
        "undisturbed_ms": lambda c: undisturbed_ms(c.wall.ravel()),
        "memory_mb": lambda c: (c.weights_bytes + c.state_bytes) / 1e6,
    }
    for name, of in sizes.items():
        value = of(cost)
        other = None if against is None else value - of(against)
        found.append({"name": name, "unit": _unit(name), "value": value, "difference": other})
    return found


def _by_repetition(cost: SystemCost) -> dict[str, np.ndarray]:
    """The mean of each repetition ``[repetitions]``, by name of the figure."""
    cpu = cost.cpu.mean(axis=1) / 1e6
    nodes = {f"node.{n}.cpu_ms": times.mean(axis=1) / 1e6 for n, times in cost.nodes.items()}
    wall = np.median(cost.wall, axis=1) / 1e6
    return {
        "cpu_ms": cpu,
        "wall_ms": wall,
        "rtf": wall / 1e3 / cost.block_s,
        "cpu_rtf": cpu / 1e3 / cost.block_s,
        **nodes,
    }


def _figure(name: str, unit: str, values: np.ndarray, other: np.ndarray | None) -> Figure:
    value, low, high = mean_interval(values)
    made: Figure = {"name": name, "unit": unit, "value": value, "low": low, "high": high}
    if other is not None:
        difference, low, high = shift_interval(values - other)
        made |= {"difference": difference, "difference_low": low, "difference_high": high}
    return made


def _unit(name: str) -> str:
    return {"ms": "ms", "mb": "MB"}.get(name.rpartition("_")[2], "")
