"""A compiled experiment: its cells, and every task, before anything runs.

The grid makes it of a file; engines run its tasks; results read what they made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from voicegraph.graph.providers import provided

from .clip import Clip
from .metric import Metric
from .task import Task

if TYPE_CHECKING:
    from voicegraph.graph.errors import Problem
    from voicegraph.graph.plan import CompiledPlan


@dataclass(frozen=True, slots=True)
class Target:
    """Whose voice a system speaks with.

    Attributes:
        name: key in the file.
        speech: held-out recordings of the voice.
    """

    name: str
    speech: tuple[Clip, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of levels.

    Attributes:
        name: the levels as text, such as ``default, tracker=dio, noise=clean``; unique.
        levels: factor -> level.
        target: name of the target; None if the experiment has none.
        kind: a pipeline, a foreign command, the clips themselves, or the target's own speech.
        plan: key of its plan in :attr:`CompiledExperiment.plans`; None without a pipeline.
        excluded: why it does not run; None if it does.
        stated_latency_ms: what a program says that it would have as a stream; None if it is none.
    """

    name: str
    levels: Mapping[str, str]
    target: str | None
    kind: Literal["pipeline", "command", "source", "target"]
    plan: str | None = None
    excluded: str | None = None
    stated_latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One clip of one cell with one seed: what becomes a number of each metric.

    Attributes:
        cell: its name.
        clip: the clip; of a cell of kind ``target``, an utterance of the target.
        seed: of noise and pipeline.
        source: key of the clean clip's sound.
        given: key of the sound that the system gets.
        made: key of the sound that it gives.
    """

    cell: str
    clip: Clip
    seed: int
    source: str
    given: str
    made: str


@dataclass(frozen=True, slots=True)
class SideEffect:
    """What a level changes besides itself, against the baseline of its factor."""

    factor: str
    level: str
    baseline: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Dependence:
    """A metric that is not independent of a system: both learned from ``origin``."""

    metric: str
    system: str
    origin: str
    why: str


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What is known of a plan without running it.

    Attributes:
        key: identifies everything that decides its numbers.
        plan: the compiled plan.
        described: :meth:`CompiledPlan.describe`.
        algorithmic_ms: latency.
        buffering_ms: latency.
        block_ms: the block.
        files: SHA-256 of each file that it reads, by ``node.param``.
        licences: of voices, weights and packages, by file or package.
    """

    key: str
    plan: CompiledPlan
    described: Mapping[str, Any]
    algorithmic_ms: float
    buffering_ms: float
    block_ms: float
    files: Mapping[str, str]
    licences: Mapping[str, str] = field(default_factory=dict)

    @property
    def explained(self) -> str:
        """The text of ``voicegraph explain``."""
        return provided("explain")(self.plan)


@dataclass(frozen=True, slots=True)
class Contrast:
    """One entry of ``compare``: each level of a factor against its baseline.

    Attributes:
        vary: the factor.
        baseline: its level.
        within: factors that are held: one test for each combination of their levels.
        metrics: metric -> margin of equivalence, or None.
        test: how p is computed.
        correct: correction for the tests of this entry.
    """

    vary: str
    baseline: str
    within: tuple[str, ...]
    metrics: Mapping[str, float | None]
    test: Literal["permutation", "wilcoxon", "bootstrap"] = "permutation"
    correct: Literal["holm", "bh", "none"] = "holm"


@dataclass(frozen=True, slots=True)
class CompiledExperiment:
    """Everything that is known before it runs.

    Attributes:
        name: of the file, without its ending.
        path: the file; None if it was built in Python.
        title: for the page.
        text: the file as given.
        resolved: the file with every default, as JSON values.
        hash: of ``resolved`` and of all keys.
        factors: factor -> levels, in the order of the file.
        conditions: those factors that act on the clip, and are no choice between systems.
        cells: all combinations, excluded ones included.
        clips: the recordings that were drawn.
        targets: by name.
        seeds: of noise and pipeline.
        plans: by key.
        items: what becomes numbers.
        tasks: everything to compute, each key once, in an order in which needs come first.
        observed: (key of a sound, observer with params as text) -> key of the observation.
        metrics: the numbers, in the order of the file.
        costs: (cell, cell with which it takes turns, or empty) -> key of the cost task. A cell that
            stands in several contrasts has several.
        target_sounds: target -> keys of the sounds of its held-out speech.
        contrasts: what is tested.
        side_effects: of levels.
        dependences: of metrics on systems.
        goals: metric -> text such as ``>= .88``.
        warnings: what is allowed and probably not meant.
        packages: distributions that decide numbers -> their versions; keys hold them, so machines
            that compute must have the same.
    """

    name: str
    path: Path | None
    title: str
    text: str
    resolved: Mapping[str, Any]
    hash: str
    factors: Mapping[str, tuple[str, ...]]
    cells: Sequence[Cell]
    clips: Sequence[Clip]
    targets: Mapping[str, Target]
    seeds: Sequence[int]
    plans: Mapping[str, PlanFacts]
    items: Sequence[Item]
    tasks: Sequence[Task]
    observed: Mapping[tuple[str, str], str]
    metrics: Sequence[Metric]
    costs: Mapping[tuple[str, str], str]
    target_sounds: Mapping[str, tuple[str, ...]]
    contrasts: Sequence[Contrast]
    side_effects: Sequence[SideEffect] = ()
    dependences: Sequence[Dependence] = ()
    goals: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[Problem] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    conditions: Sequence[str] = ()
