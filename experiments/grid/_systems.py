"""Systems of an experiment: plans with everything that is known of them before they run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.plan import CompiledPlan

from ..compiled import PlanFacts
from ..metric import Metric
from ..store.store import Store
from ..task import Result
from ..work.code_identity import package_versions
from ..work.pipeline_data import PipelineData
from ..work.precision_trial import machine_kind, try_precisions, undecided
from ._keys import Keys
from ._licences import licences
from ._tasks import System

AUTO = "auto"


@dataclass(slots=True)
class SystemBook:
    """Makes systems of compiled pipelines, each plan once.

    Attributes:
        keys: makes keys.
        store: remembers what ``dtype: auto`` means; None does not.
        resolve: whether that is tried where it is not known.
        metrics: that are measured; their taps are recorded.
        facts: plans by key.
        unresolved: names of nodes whose precision is not known yet, by plan.
    """

    keys: Keys
    store: Store | None
    resolve: bool
    metrics: Iterable[Metric] = ()
    facts: dict[str, PlanFacts] = field(default_factory=dict)
    unresolved: dict[str, list[str]] = field(default_factory=dict)
    _systems: dict[int, tuple[Plan, System]] = field(default_factory=dict)

    def system(self, pipeline: Pipeline, plan: Plan) -> System:
        """The system of a plan.

        Raises:
            VoicegraphError: if a precision is tried, and weights cannot be loaded.
        """
        if id(plan) not in self._systems:
            self._systems[id(plan)] = plan, self._made(pipeline, plan)  # the plan keeps its id
        return self._systems[id(plan)][1]

    def _made(self, pipeline: Pipeline, plan: Plan) -> System:
        precisions = self._precisions(pipeline, plan)
        key = self.keys.plan(plan, precisions)
        if key not in self.facts:
            self.facts[key] = self._facts(key, plan)
        known = {name: dtype for name, dtype in precisions.items() if dtype != AUTO}
        if len(known) < len(precisions):
            self.unresolved[key] = sorted(precisions.keys() - known.keys())
        return System(
            key,
            PipelineData.of(pipeline, plan),
            tuple(sorted(known.items())),
            self.keys.uses_seed(plan),
            tuple(tap for tap in self._wanted_taps() if _has_port(plan, tap)),
        )

    def _facts(self, key: str, plan: Plan) -> PlanFacts:
        packages = package_versions(self.keys.code(plan))
        return PlanFacts(
            key=key,
            plan=plan,
            described=plan.describe(),
            algorithmic_ms=float(plan.latency.algorithmic * 1000),
            buffering_ms=float(plan.latency.buffering * 1000),
            block_ms=float(plan.block * 1000),
            files={name: content.sha256 for name, content in plan.files.items()},
            licences=licences(plan, packages),
        )

    def _wanted_taps(self) -> list[str]:
        return list(dict.fromkeys(tap for metric in self.metrics for tap in metric.taps))

    def missing_taps(self) -> list[str]:
        """Taps that no plan has."""
        plans = [facts.plan for facts in self.facts.values()]
        return [tap for tap in self._wanted_taps() if not any(_has_port(p, tap) for p in plans)]

    # ---- precision --------------------------------------------------------------------------

    def _precisions(self, pipeline: Pipeline, plan: Plan) -> Mapping[str, str]:
        """Node -> what ``dtype: auto`` means for it; ``auto`` if that is not known yet."""
        names = undecided(plan)
        if not names:
            return {}
        key = self.keys.precisions(plan, machine_kind())
        if self.store is not None and self.store.has(key):
            try:
                return self.store.read(key).about["precisions"]
            except KeyError:  # damaged: it is tried again
                pass
        if not self.resolve:
            return dict.fromkeys(names, AUTO)
        # A plan of its own, so that the weights are not kept.
        found = try_precisions(pipeline.compile(), self.keys.threads)
        if self.store is not None:
            about = {"precisions": found, "machine": machine_kind()}
            self.store.write(key, Result({}, about), kind="precision", label=plan.name)
        return found


def _has_port(plan: CompiledPlan, tap: str) -> bool:
    try:
        plan.port(tap)
    except VoicegraphError:
        return False
    return True
