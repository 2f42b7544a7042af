"""A compiled experiment whose sounds and observations are made up, with its store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from voicegraph.experiments.clip import Clip
from voicegraph.experiments.compiled import (
    Cell,
    CompiledExperiment,
    Contrast,
    Item,
    PlanFacts,
    Target,
)
from voicegraph.experiments.metric import Heard, Metric
from voicegraph.experiments.store import Store
from voicegraph.experiments.task import Kind, Result, Task

EAR = "contour.level"
"""A shipped observer; its observations are made up here."""
RATE = 16000


def key(*parts: object) -> str:
    """A key of the form that real ones have."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def mean_of(name: str, better: Any = "lower", **more: Any) -> Metric:
    """A metric that is the made-up number of an observation."""

    def measure(heard: Heard) -> float:
        return float(heard.made[EAR][name][0])

    return Metric(
        name=f"toy.{name}", title=f"toy {name}", measure=measure, made=(EAR,), better=better, **more
    )


@dataclass
class Synthetic:
    """Made-up numbers by level, speaker, clip and seed.

    Attributes:
        factors: factor -> levels.
        speakers: their number.
        each: clips of a speaker.
        number: what is observed, of levels, speaker, clip, seed and the metric's name.
    """

    factors: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"tracker": ("dio", "swift"), "noise": ("clean", "pink")}
    )
    speakers: int = 8
    each: int = 1
    seeds: tuple[int, ...] = (1,)
    metrics: Sequence[Metric] = field(
        default_factory=lambda: (mean_of("error"), mean_of("score", "higher", digits=2))
    )
    contrasts: Sequence[Contrast] = (Contrast("tracker", "dio", ("noise",), {"toy.error": None}),)
    number: Callable[..., float] | None = None
    excluded: dict[str, str] = field(default_factory=dict)
    costs: bool = True
    resolved: dict[str, Any] = field(
        default_factory=lambda: {"clips": {"files": "speech/*.flac"}, "description": "made up"}
    )

    def compiled(self) -> CompiledExperiment:
        """The experiment."""
        clips = [
            Clip(f"s{s:02d}-{c}", Path(f"speech/s{s:02d}-{c}.flac"), key("clip", s, c), f"s{s:02d}")
            for s in range(self.speakers)
            for c in range(self.each)
        ]
        cells = [self._cell(levels) for levels in product(*self.factors.values())]
        items = [
            self._item(cell, clip, seed)
            for cell in cells
            if not cell.excluded
            for clip in clips
            for seed in self.seeds
        ]
        plans = {cell.plan: _plan(cell.plan) for cell in cells if cell.plan}
        tasks = _tasks(items)
        costs = {
            (cell.name, self._partner(cell)): key("cost", cell.name)
            for cell in cells
            if self.costs and not cell.excluded
        }
        return CompiledExperiment(
            name="toys",
            path=None,
            title="Toys",
            text="version: 1\n",
            resolved=self.resolved,
            hash=key("toys", self.factors),
            factors=self.factors,
            cells=cells,
            clips=clips,
            targets={"heart": Target("heart")},
            seeds=self.seeds,
            plans=plans,
            items=items,
            tasks=tasks,
            observed={(item.made, EAR): key("observe", item.made) for item in items},
            metrics=self.metrics,
            costs=costs,
            target_sounds={},
            contrasts=self.contrasts,
        )

    def fill(self, compiled: CompiledExperiment, store: Store) -> CompiledExperiment:
        """Writes every result."""
        cells = {cell.name: cell for cell in compiled.cells}
        random = np.random.default_rng(7)
        for item in compiled.items:
            levels = cells[item.cell].levels
            for sound in {item.source, item.made}:
                audio = random.standard_normal(160).astype(np.float32)
                if not store.has(sound):
                    store.write(sound, Result({"audio": audio}, {"rate": RATE}), seconds=0.5)
            numbers = {
                metric.name.partition(".")[2]: np.array([self._number(levels, item, metric.name)])
                for metric in compiled.metrics
            }
            store.write(key("observe", item.made), Result(numbers))
        for (cell, against), cost in compiled.costs.items():
            store.write(cost, Result({}, _figures(cell, against)))
        return compiled

    def _number(self, levels: Any, item: Item, metric: str) -> float:
        if self.number is not None:
            return self.number(levels, item.clip.speaker, item.clip.name, item.seed, metric)
        speaker = int(item.clip.speaker[1:])
        gain = 0.1 * (levels.get("tracker") == "swift") * (1 + speaker / 10)
        return 0.5 + speaker / 50 - gain + 0.2 * (levels.get("noise") == "pink")

    def _cell(self, levels: Sequence[str]) -> Cell:
        named = dict(zip(self.factors, levels, strict=True))
        name = ", ".join(f"{factor}={level}" for factor, level in named.items())
        plan = key("plan", *(v for k, v in named.items() if k != "noise"))
        return Cell(name, named, "heart", "pipeline", plan, self.excluded.get(name))

    def _partner(self, cell: Cell) -> str:
        """The cell with the first level of the first factor."""
        factor = next(iter(self.factors))
        other = replace(cell, levels={**cell.levels, factor: self.factors[factor][0]})
        name = ", ".join(f"{factor}={level}" for factor, level in other.levels.items())
        return "" if name == cell.name else name

    def _item(self, cell: Cell, clip: Clip, seed: int) -> Item:
        sounds = key("source", clip.name), key("source", clip.name)
        return Item(cell.name, clip, seed, *sounds, key("made", cell.name, clip.name, seed))


def _plan(name: str) -> PlanFacts:
    plan = cast("Any", SimpleNamespace(hash=name))
    described = {"nodes": {"f0": {"use": f"f0.{name[:4]}"}}, "block": "20ms"}
    return _Facts(name, plan, described, 120.0, 40.0, 20.0, {}, {"voice": "CC0"})


class _Facts(PlanFacts):
    @property
    def explained(self) -> str:
        return "a plan"


def _tasks(items: Sequence[Item]) -> list[Task]:
    work = cast("Any", None)
    found = {}
    for item in items:
        found[item.source] = Task(item.source, Kind.INPUT, work, label=item.clip.name)
        found[item.made] = Task(
            item.made, Kind.CONVERT, work, (item.given,), label=f"{item.cell}: {item.clip.name}"
        )
        seen = key("observe", item.made)
        label = f"{EAR} of {item.cell}: {item.clip.name}"
        found[seen] = Task(seen, Kind.OBSERVE, work, (item.made,), label=label)
    return list(found.values())


def _figures(cell: str, against: str) -> dict[str, Any]:
    slower = 2.0 * ("swift" in cell)
    figure: dict[str, Any] = {"name": "cpu_ms", "unit": "ms", "value": 5.0 + slower}
    if against:
        figure |= {"difference": slower, "difference_low": slower - 0.1}
        figure |= {"difference_high": slower + 0.1}
    return {"machine": "host", "figures": [figure, {"name": "rtf", "unit": "", "value": 0.1}]}
