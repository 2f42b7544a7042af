"""Plans of combinations: compiled with sharing, and mistakes told at the level that makes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from voicegraph.graph.errors import Mark, PipelineError, Problem, VoicegraphError, WeightsError
from voicegraph.graph.loading.overrides import Override
from voicegraph.graph.loading.source_map import dotted
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.regular_file import shortened
from voicegraph.graph.signals import Audio

from ..file.factor_levels import FactorLevel
from ..file.loaded_experiment import LoadedExperiment, LoadedTarget
from ._design import Combination

MISSING = frozenset(
    ("missing-extra", "missing-file", "missing-package", "missing-weights", "no-such-file",
     "unset-asset", "unset-var")
)  # fmt: skip
"""Codes of problems for which an optional level is left out."""

_SET = re.compile(r"--set '?([\w.]+)=([^\s']+)'?")

Outcome = tuple[Pipeline, Plan] | VoicegraphError


@dataclass(slots=True)
class PlanBook:
    """Compiles the pipelines of an experiment, each distinct one once.

    Attributes:
        loaded: the experiment.
        problems: every mistake so far, at its place in the experiment.
    """

    loaded: LoadedExperiment
    problems: list[Problem] = field(default_factory=list)
    _taken: set[tuple[str, str]] = field(default_factory=set)
    _bases: dict[tuple[str | Path, tuple[str, ...]], Pipeline | VoicegraphError] = field(
        default_factory=dict
    )
    _outcomes: dict[tuple[object, ...], Outcome] = field(default_factory=dict)

    def compiled(self, wanted: Combination) -> tuple[Pipeline, Plan] | None:
        """The pipeline of a combination and its plan; None if it is wrong, which is noted."""
        found = self._outcome(wanted)
        if not isinstance(found, VoicegraphError):
            return found
        for level, error in self._blamed(wanted):
            self.problems += [self._at_level(problem, level, wanted) for problem in error.problems]
        return None

    def missing(self, level: FactorLevel, wanted: Combination) -> tuple[Problem, ...]:
        """Why an optional level cannot be used with a system; nothing if it can, or is wrong."""
        found = self._outcome(wanted.with_level(level))
        if not isinstance(found, VoicegraphError):
            return ()
        return found.problems if all(p.code in MISSING for p in found.problems) else ()

    def untaken(self) -> list[Problem]:
        """Problems of overrides of targets that no pipeline of the experiment has."""
        return [
            Problem(
                "unknown-key",
                f"no pipeline of the experiment has {dotted(override.path)}, which the target "
                f"{target.name} sets",
                override.mark,
                fix=f"remove {dotted(override.path)}",
            )
            for target in self.loaded.targets.values()
            for override in target.overrides
            if self._bases and (target.name, dotted(override.path)) not in self._taken
        ]

    # ---- compiling --------------------------------------------------------------------------

    def _outcome(self, wanted: Combination) -> Outcome:
        system = wanted.system
        source = self.loaded.pipeline if system is None else system.pipeline
        profiles = () if system is None else system.profiles
        assert source is not None  # the loader has checked it
        base = self._base(source, profiles)
        if isinstance(base, VoicegraphError):
            return base
        overrides = self._overrides(base, wanted)
        key = (source, profiles, *(id(override) for override in overrides))
        if key not in self._outcomes:
            self._outcomes[key] = _compile(base, overrides)
        return self._outcomes[key]

    def _base(self, source: str | Path, profiles: tuple[str, ...]) -> Pipeline | VoicegraphError:
        key = (source, profiles)
        if key not in self._bases:
            try:
                self._bases[key] = Pipeline.load(source, profiles=profiles)
            except VoicegraphError as error:
                self._bases[key] = error
        return self._bases[key]

    def _overrides(self, base: Pipeline, wanted: Combination) -> list[Override]:
        target = [] if wanted.target is None else self._of_target(base, wanted.target)
        levels = [override for level in wanted.levels.values() for override in level.overrides]
        return [*self.loaded.overrides, *target, *levels]

    def _of_target(self, base: Pipeline, target: LoadedTarget) -> list[Override]:
        """The overrides of a target that a pipeline has: not every one takes a voice."""
        found = [each for each in target.overrides if _has(base, each)]
        self._taken |= {(target.name, dotted(each.path)) for each in found}
        return found

    # ---- whose mistake it is ----------------------------------------------------------------

    def _blamed(self, wanted: Combination) -> list[tuple[FactorLevel | None, VoicegraphError]]:
        """The levels that fail alone; else the last one, which fails together with others."""
        plain = self.plain(wanted)
        base = self._outcome(plain)
        if isinstance(base, VoicegraphError):
            return [(wanted.system, base)]
        changed = [
            level for factor, level in wanted.levels.items() if level is not plain.levels[factor]
        ]
        alone = [(level, self._outcome(plain.with_level(level))) for level in changed]
        found = [(level, each) for level, each in alone if isinstance(each, VoicegraphError)]
        whole = self._outcome(wanted)
        assert isinstance(whole, VoicegraphError)
        return [*found] or [(changed[-1] if changed else wanted.system, whole)]

    def plain(self, wanted: Combination) -> Combination:
        """The same system with the baselines of all factors that override values."""
        levels = {
            factor: level
            if level.kind != "overrides"
            else self.loaded.factors[factor][self.loaded.baseline(factor)]
            for factor, level in wanted.levels.items()
        }
        return Combination(levels, wanted.target)

    def _at_level(
        self, problem: Problem, level: FactorLevel | None, wanted: Combination
    ) -> Problem:
        """The problem at its place in the experiment; its own place becomes a note."""
        if problem.mark is not None and self._is_of_experiment(problem.mark):
            return problem
        at = ("pipeline",) if level is None else level.at
        mark = self.loaded.source_map.value(at)
        notes = problem.notes
        if problem.mark is not None:
            notes = (("in the pipeline", problem.mark), *notes)
        if level is not None and not level.is_system and wanted.system is not None:
            notes = (*notes, (f"with {wanted.system.factor}={wanted.system.name}", None))
        return replace(problem, mark=mark, notes=notes, fix=_in_level(problem.fix, level))

    def _is_of_experiment(self, mark: Mark) -> bool:
        return any(
            mark.source == place.value.source for place in self.loaded.source_map.places.values()
        )


def _compile(base: Pipeline, overrides: Iterable[Override]) -> Outcome:
    try:
        pipeline = base.changed({}, placed=tuple(overrides))
        plan = pipeline.compile()
    except VoicegraphError as error:
        return error
    if not isinstance(plan.output_type, Audio):
        text = f"the output of {plan.name} is {plan.output_type}, but metrics hear audio"
        return PipelineError(Problem("output-not-audio", text, fix="name an audio output"))
    if absent := list(_absent_files(pipeline, plan)):
        return WeightsError(absent)
    return pipeline, plan


def _absent_files(pipeline: Pipeline, plan: Plan) -> Iterator[Problem]:
    """Problems of files that a plan reads and that are missing: some nodes look for them late."""
    places = pipeline.loaded.source_map
    for planned in plan.nodes:
        for name, path in planned.files.items():
            if name not in plan.files:
                param = name.removeprefix(f"{planned.name}.")
                text = f"{planned.name}: {shortened(path)} is missing, or cannot be read"
                mark = places.value(("nodes", planned.name, "params", param))
                asset = planned.node.asset_name()
                if param == "weights" and asset in pipeline.loaded.file.assets:
                    mark = places.value(("assets", asset))
                yield Problem("no-such-file", text, mark, fix=f"give the file of {name}")


def _in_level(fix: str | None, level: FactorLevel | None) -> str | None:
    """A fix as it is typed in an experiment: what `--set` would do, a level does by `set`."""
    if fix is None:
        return None
    key = "set" if level is None else f"{dotted(level.at)}.set"
    return _SET.sub(lambda found: f"{key}: {{{found[1]}: {found[2]}}}", fix)


def _has(base: Pipeline, override: Override) -> bool:
    """Whether a pipeline has the var, node or asset that an override names."""
    document = base.loaded.document
    assert document is not None
    section, *rest = override.path
    if not rest or section not in ("vars", "nodes", "assets"):
        return True
    known = document.data.get(str(section))
    return isinstance(known, dict) and rest[0] in known
