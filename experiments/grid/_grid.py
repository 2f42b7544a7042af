"""The grid of an experiment while it is compiled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from voicegraph.graph.errors import Problem, Problems, VoicegraphError
from voicegraph.graph.pipeline import Pipeline, Plan

from ..clip import Clip
from ..clips.find import find_clips, find_speech
from ..compiled import Cell, Contrast, Dependence, Item, PlanFacts, SideEffect, Target
from ..file.factor_levels import FactorLevel
from ..file.loaded_experiment import LoadedExperiment
from ..metric import Metric
from ..registry import FAMILIES, params_of
from ..statistics.refusal import refusal
from ..store.store import Store
from ..work.input_work import AppliedCondition
from ..work.match import Match
from ..work.precision_trial import machine_kind
from ._contrasts import baseline_cell, contrasts, too_large_families
from ._dependences import dependences
from ._design import Combination, combinations
from ._estimates import Guess
from ._keys import Keys, apply_condition
from ._matching import match_for
from ._measures import Entry, ask_conditions, ask_metrics
from ._plans import PlanBook
from ._side_effects import side_effects
from ._systems import SystemBook
from ._tasks import System, TaskBook, absent_of_command, by_cell, python_files

_PER_PLAN = "plan"


class Grid:
    """Cells, items and tasks of an experiment; mistakes go into ``problems``.

    Args:
        loaded: the experiment.
        store: remembers precisions.
        resolve: whether unknown precisions are tried.
        problems: gets all mistakes.
    """

    def __init__(
        self, loaded: LoadedExperiment, store: Store | None, resolve: bool, problems: Problems
    ) -> None:
        self.loaded = loaded
        self.problems = problems
        asked = ask_metrics(loaded, problems)
        self.entries: list[Entry] = asked.entries
        self.unmeasured = asked.left_out
        self.metrics: list[Metric] = [m for entry in self.entries for m in entry.metrics]
        machine = machine_kind() if loaded.file.strict else ""
        keys = Keys(loaded.file.resources.threads, machine)
        self.plans = PlanBook(loaded)
        self.systems = SystemBook(keys, store, resolve, self.metrics)
        self.tasks = TaskBook(
            keys, Guess(), python_files((*loaded.nodes_files, *loaded.metrics_files))
        )
        self.left_out: frozenset[tuple[str, str]] = frozenset()
        self.clips: list[Clip] = []
        self.targets: dict[str, Target] = {}
        self.target_sounds: dict[str, tuple[str, ...]] = {}
        self.cells: list[Cell] = []
        self.items: list[Item] = []
        self.costs: dict[tuple[str, str], str] = {}
        self.contrasts: list[Contrast] = []
        self.side_effects: list[SideEffect] = []
        self.dependences: list[Dependence] = []
        self.warnings: list[Problem] = list(asked.warnings)
        self._conditions: dict[tuple[str, str], tuple[AppliedCondition, ...]] = {}
        self._of_cell: dict[str, tuple[Combination, System | None]] = {}

    def compile(self) -> None:
        """Fills the attributes."""
        self._find_clips()
        self._find_conditions()
        self._leave_out()
        self._make_cells()
        self.problems.found += [*self.plans.problems, *self.plans.untaken()]
        self.contrasts = contrasts(self.loaded, self.metrics, self.unmeasured, self.problems)
        self._check_taps()
        if self.problems.found:
            return
        self._make_items()
        self._make_costs()
        self._find_side_effects()
        self._find_dependences()
        self._warn()

    # ---- what is converted ------------------------------------------------------------------

    def _find_clips(self) -> None:
        loaded = self.loaded
        try:
            self.clips = list(find_clips(loaded.file.clips, loaded.source_map))
        except VoicegraphError as error:
            self.problems.found += error.problems
        for name, spec in loaded.file.targets.items():
            speech: Sequence[Clip] = ()
            try:
                if spec.speech:
                    at = ("targets", name)
                    speech = find_speech(list(spec.speech), loaded.source_map, at, name)
            except VoicegraphError as error:
                self.problems.found += error.problems
            self.targets[name] = Target(name, tuple(speech))

    def _find_conditions(self) -> None:
        for level, asked in ask_conditions(self.loaded, self.problems).items():
            try:
                self._conditions[level] = tuple(apply_condition(*each) for each in asked)
            except VoicegraphError as error:
                at = self.loaded.factors[level[0]][level[1]].at
                mark = self.loaded.source_map.value(at)
                self.problems.found += [replace(p, mark=p.mark or mark) for p in error.problems]

    # ---- cells ------------------------------------------------------------------------------

    def _leave_out(self) -> None:
        """Finds optional levels whose files or packages are missing."""
        optional = [
            level
            for levels in self.loaded.factors.values()
            for level in levels.values()
            if level.optional
        ]
        found: set[tuple[str, str]] = set()
        for level in optional:
            missing = self._missing(level)
            if missing:
                found.add((level.factor, level.name))
                self.warnings.append(self._left_out(level, missing))
        self.left_out = frozenset(found)

    def _missing(self, level: FactorLevel) -> tuple[Problem, ...]:
        if level.command is not None:
            return tuple(absent_of_command(level.command))
        for wanted in combinations(self.loaded):
            system = wanted.system
            has = wanted.levels.get(level.factor) is level
            if has and (system is None or system.kind == "pipeline"):
                base = self.plans.plain(wanted)
                if missing := self.plans.missing(level, base):
                    return missing
        return ()

    def _left_out(self, level: FactorLevel, missing: Sequence[Problem]) -> Problem:
        mark = self.loaded.source_map.value(level.at)
        text = f"{level.factor}={level.name} is left out: {missing[0].message}"
        return Problem("left-out", text, mark, fix=missing[0].fix)

    def _make_cells(self) -> None:
        for wanted in combinations(self.loaded, self.left_out):
            excluded = next(
                (f"exclude: {p}" for p in self.loaded.exclude if p.matches(wanted.pattern)), None
            )
            cell = Cell(
                self._name(wanted),
                wanted.names,
                None if wanted.target is None else wanted.target.name,
                "pipeline" if wanted.system is None else wanted.system.kind,  # pyright: ignore[reportArgumentType]
                excluded=excluded,
            )
            if excluded is None:
                cell = self._with_plan(cell, wanted)
            self.cells.append(cell)

    def _with_plan(self, cell: Cell, wanted: Combination) -> Cell:
        """The cell with its plan, unless a requirement strikes it out."""
        system: System | None = None
        if cell.kind == "pipeline":
            found = self.plans.compiled(wanted)
            if found is None:
                return cell
            broken = self._broken(*found)
            if broken is not None:
                return replace(cell, excluded=broken)
            try:
                system = self.systems.system(*found)
            except VoicegraphError as error:
                self.problems.found += error.problems
                return cell
            cell = replace(cell, plan=system.key)
        elif wanted.system is not None and wanted.system.command is not None:
            absent = list(absent_of_command(wanted.system.command))
            mark = self.loaded.source_map.value(wanted.system.at)
            self.problems.found += [replace(problem, mark=mark) for problem in absent]
            stated = float(wanted.system.command.latency * 1000)
            cell = replace(cell, stated_latency_ms=stated)
            known = {"latency.algorithmic_ms": stated, "latency.total_ms": stated}
            if (broken := self._beyond(known, complete=False)) is not None:
                return replace(cell, excluded=broken)
        self._of_cell[cell.name] = wanted, system
        return cell

    def _name(self, wanted: Combination) -> str:
        system = wanted.system
        rest = {f: name for f, name in wanted.names.items() if system is None or f != system.factor}
        if wanted.target is not None and len(self.loaded.targets) > 1:
            rest["target"] = wanted.target.name
        parts = [] if system is None else [system.name]
        return ", ".join([*parts, *([by_cell(rest)] if rest else [])]) or self.loaded.name

    def _broken(self, pipeline: Pipeline, plan: Plan) -> str | None:
        del pipeline
        algorithmic, buffering = (
            float(value * 1000) for value in (plan.latency.algorithmic, plan.latency.buffering)
        )
        return self._beyond(
            {
                "latency.algorithmic_ms": algorithmic,
                "latency.buffering_ms": buffering,
                "latency.total_ms": algorithmic + buffering,
                "block_ms": float(plan.block * 1000),
            }
        )

    def _beyond(self, known: dict[str, float], *, complete: bool = True) -> str | None:
        """Which requirement the facts of a system break.

        Args:
            known: the facts.
            complete: whether a requirement of something else is a mistake.
        """
        for name, bounds in self.loaded.file.require.items():
            if name not in known:
                if complete:
                    mark = self.loaded.source_map.value(("require", name))
                    text = f"a plan does not tell {name}; it tells: {', '.join(known)}"
                    self.problems.add("unknown-key", text, mark, fix="latency.algorithmic_ms")
                continue
            value = known[name]
            if bounds.greatest is not None and value > bounds.greatest:
                return f"require: {name} is {value:g}, above {bounds.greatest:g}"
            if bounds.least is not None and value < bounds.least:
                return f"require: {name} is {value:g}, below {bounds.least:g}"
        return None

    def _check_taps(self) -> None:
        for tap in self.systems.missing_taps() if self.systems.facts else ():
            text = f"no pipeline of the experiment has the port {tap}, which a metric records"
            mark = self.loaded.source_map.value(("metrics",))
            self.problems.add("unknown-port", text, mark, fix="name a port of the pipeline")

    # ---- items and tasks --------------------------------------------------------------------

    def _make_items(self) -> None:
        self.target_sounds = {
            name: tuple(self.tasks.source(clip) for clip in target.speech)
            for name, target in self.targets.items()
        }
        for cell in self.cells:
            if cell.excluded is None:
                for seed in self.loaded.file.seeds:
                    self._items_of(cell, seed)

    def _items_of(self, cell: Cell, seed: int) -> None:
        wanted, system = self._of_cell[cell.name]
        applied = tuple(
            condition
            for level in wanted.levels.values()
            for condition in self._conditions[level.factor, level.name]
        )
        clips = self.targets[cell.target or ""].speech if cell.kind == "target" else self.clips
        for clip in clips:
            source = self.tasks.source(clip)
            given = self.tasks.source(clip, applied, seed) if applied else source
            made = self._made(cell, wanted, system, clip, (source, given), seed)
            self.items.append(Item(cell.name, clip, seed, source, given, made))
            self._observe(cell, clip, source, given, made)

    def _made(
        self,
        cell: Cell,
        wanted: Combination,
        system: System | None,
        clip: Clip,
        sounds: tuple[str, str],
        seed: int,
    ) -> str:
        level = wanted.system
        if system is not None:
            speech = self.target_sounds.get(cell.target or "", ())
            match = self._match(level, wanted, clip)
            return self.tasks.conversion(system, cell.name, clip, sounds, seed, match, speech)
        if level is not None and level.command is not None:
            target = next(iter(self.targets[cell.target].speech), None) if cell.target else None
            deadline = self.loaded.file.resources.deadline
            folder = self.loaded.source_map.base(level.at)
            return self.tasks.command(
                level.command, folder, cell.name, clip, sounds[1], seed, target,
                None if deadline is None else float(deadline),
            )  # fmt: skip
        return sounds[1]

    def _match(self, level: FactorLevel | None, wanted: Combination, clip: Clip) -> Match | None:
        rules = [rule for each in wanted.levels.values() for rule in each.match]
        del level
        return match_for(rules, clip, wanted.target) if rules else None

    def _observe(self, cell: Cell, clip: Clip, source: str, given: str, made: str) -> None:
        for metric in self.metrics:
            for sound, observers in (
                (made, metric.made), (source, metric.source), (given, metric.given),
            ):  # fmt: skip
                self.tasks.observe(sound, observers, clip)
            if metric.targets and cell.target is not None:
                speech = self.targets[cell.target].speech
                sounds = self.target_sounds[cell.target]
                for sound, utterance in zip(sounds, speech, strict=True):
                    self.tasks.observe(sound, metric.targets, utterance)

    # ---- costs ------------------------------------------------------------------------------

    def _make_costs(self) -> None:
        entry = next((e for e in self.entries if e.name.partition(".")[0] == "cost"), None)
        if entry is None:
            return
        params: Any = params_of(FAMILIES.find("cost").params, entry.value)
        measured = [cell for cell in self.cells if cell.plan is not None]
        for cell in measured:
            for other in self._baselines(cell, measured) or [None]:
                system = self._of_cell[cell.name][1]
                against = None if other is None else self._of_cell[other.name][1]
                assert system is not None
                pair = (cell.name, "" if other is None else other.name)
                self.costs[pair] = self.tasks.cost(
                    system, against, params.blocks, params.quiet, machine_kind()
                )

    def _baselines(self, cell: Cell, measured: Sequence[Cell]) -> list[Cell]:
        found = [baseline_cell(cell, contrast, measured) for contrast in self.contrasts]
        return list({other.name: other for other in found if other is not None}.values())

    # ---- what is told -----------------------------------------------------------------------

    def _find_side_effects(self) -> None:
        for factor, levels in self.loaded.factors.items():
            baseline = levels[self.loaded.baseline(factor)]
            for level in levels.values():
                if level is not baseline and level.kind == "overrides":
                    self.side_effects += self._effects_of(level, baseline)

    def _effects_of(self, level: FactorLevel, baseline: FactorLevel) -> list[SideEffect]:
        """The side effects of a level, each once; those of some systems only say of which."""
        if {(level.factor, level.name), (baseline.factor, baseline.name)} & self.left_out:
            return []
        found: dict[SideEffect, list[str]] = {}
        systems: set[str] = set()
        for name, base in self._plain_systems(level.factor):
            before = self.plans.compiled(base.with_level(baseline))
            after = self.plans.compiled(base.with_level(level))
            if before is None or after is None:
                continue
            systems.add(name)
            for effect in side_effects(level, baseline, after, before):
                found.setdefault(effect, []).append(name)
        return [
            effect
            if {*names} == systems
            else replace(effect, what=f"{effect.what} ({', '.join(dict.fromkeys(names))})")
            for effect, names in found.items()
        ]

    def _plain_systems(self, factor: str) -> Iterable[tuple[str, Combination]]:
        """Systems on which a factor has an effect, with baselines of all others, each once."""
        found: dict[tuple[str, str | None], Combination] = {}
        for wanted, system in self._of_cell.values():
            if system is not None and factor in wanted.levels:
                base = self.plans.plain(wanted)
                name = self.loaded.name if base.system is None else base.system.name
                target = None if base.target is None else base.target.name
                found.setdefault((name, target), base)
        return [(name, base) for (name, _), base in found.items()]

    def _find_dependences(self) -> None:
        plans: dict[str, list[tuple[str, str]]] = {}
        for cell in self.cells:
            if cell.plan is not None and cell.excluded is None:
                plans.setdefault(cell.plan, []).append(self._system_names(cell))
        facts = {key: self.systems.facts[key].plan for key in plans}
        self.dependences = dependences(self.metrics, facts, plans)

    def _system_names(self, cell: Cell) -> tuple[str, str]:
        """Name of the system of a cell, and what its levels override besides, as text."""
        wanted, _ = self._of_cell[cell.name]
        levels = {
            factor: level.name
            for factor, level in wanted.levels.items()
            if level.kind == "overrides"
        }
        system = wanted.system
        name = str(self.loaded.pipeline or self.loaded.name) if system is None else system.name
        return name, by_cell(levels)

    def _warn(self) -> None:
        loaded = self.loaded
        settings = loaded.as_json().get("clips")
        if loaded.file.compare and (why := refusal(self.clips, settings)) is not None:
            self.warnings.append(why)
        speakers = len({clip.speaker for clip in self.clips})
        self.warnings += too_large_families(
            loaded, self.contrasts, self.cells, self.metrics, speakers
        )
        if any(metric.targets for metric in self.metrics):
            for name, target in self.targets.items():
                if not target.speech:
                    text = f"the target {name} has no speech, so nothing is likened to it"
                    mark = loaded.source_map.value(("targets", name))
                    fix = f"targets.{name}.speech: FOLDER"
                    self.warnings.append(Problem("no-speech", text, mark, fix=fix))

    @property
    def plan_facts(self) -> dict[str, PlanFacts]:
        """Plans by key."""
        return self.systems.facts
