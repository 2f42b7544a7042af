"""Checks what one part of an experiment says of another: names of factors, levels and files."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import Problems
from voicegraph.graph.loading.source_map import KeyPath, dotted
from voicegraph.schemas.experiment_factors import LevelSpec

from .cell_pattern import TARGET, CellPattern
from .loaded_experiment import LoadedExperiment

_WITH_COMMAND = ("latency", "rate", "version", "files")
"""Keys of a level that only a command has."""
_WITH_PIPELINE = ("set", "profile", "match")
"""Keys of a level that a command, or no system at all, cannot have."""


_REPLACED = (
    "a factor that is given again replaces the extended one as a whole; `extends: true` in it "
    "keeps its levels"
)


def check_references(loaded: LoadedExperiment, problems: Problems) -> dict[str, Any]:
    """Adds mistakes to ``problems``; returns the attributes of the experiment that were read."""
    check = _Check(loaded, problems)
    check.levels()
    check.systems()
    check.baselines()
    check.comparisons()
    check.design()
    check.bounds()
    return {
        "exclude": tuple(check.excluded()),
        "nodes_files": tuple(check.python_files("nodes", loaded.file.nodes)),
        "metrics_files": tuple(check.python_files("metrics_files", loaded.file.metrics_files)),
    }


@dataclass(slots=True)
class _Check:
    """The checks of one experiment."""

    loaded: LoadedExperiment
    problems: Problems

    def add(self, code: str, text: str, at: KeyPath, fix: str, *, key: bool = False) -> None:
        source_map = self.loaded.source_map
        mark = source_map.key(at) if key else source_map.value(at)
        replaced = code == "unknown-level" and len(self.loaded.files) > 1
        self.problems.add(code, text, mark, notes=[(_REPLACED, None)] if replaced else (), fix=fix)

    def known(self, word: str, name: str, known: Collection[str], at: KeyPath, fix: str) -> bool:
        """Whether a name is known; ``fix`` holds {} for the nearest one."""
        if name in known:
            return True
        close = difflib.get_close_matches(name, list(known), 1, 0.5)
        listed = ", ".join(known) or "none"
        better = fix.format(*(close or list(known)[:1] or ["..."]))
        self.add(f"unknown-{word}", f"there is no {word} {name}; there are: {listed}", at, better)
        return False

    # ---- levels -----------------------------------------------------------------------------

    def levels(self) -> None:
        for factor, levels in self.loaded.factors.items():
            if factor == TARGET:
                text = "a factor cannot be called target, which stands for `targets` in patterns"
                self.add("bad-name", text, ("factors", factor), "factors.voice", key=True)
            given = self.loaded.file.factors[factor]
            for name, level in levels.items():
                spec = given.get(name) if isinstance(given, dict) else None
                if isinstance(spec, LevelSpec):
                    self.level(spec, level.at)

    def level(self, spec: LevelSpec, at: KeyPath) -> None:
        """What fits together in a level."""
        systems = [key for key in ("pipeline", "command", "system") if getattr(spec, key)]
        if len(systems) > 1:
            text = f"{dotted(at)} has {' and '.join(systems)}: a level is one system"
            self.add("wrong-value", text, at, f"remove {systems[1]}", key=True)
        if spec.command:
            self.command(spec, at)
        given = {LevelSpec.model_fields[key].alias or key for key in spec.model_fields_set}
        for key in _WITH_COMMAND if not spec.command else ():
            if key in given:
                text = f"{dotted(at)}.{key} is of a program, and the level has no command"
                self.add("wrong-value", text, (*at, key), f"remove {key}", key=True)
        for key in _WITH_PIPELINE if spec.command or spec.system else ():
            if key in given:
                text = f"{dotted(at)}.{key} changes a pipeline, and the level is none"
                self.add("wrong-value", text, (*at, key), f"remove {key}", key=True)
        targets = self.loaded.file.targets
        for number, name in enumerate(spec.targets or ()):
            self.known("target", name, targets, (*at, "targets", number), "{}")
        if spec.system == "target" and not any(t.speech for t in targets.values()):
            text = f"{dotted(at)} is the speech of the target, and no target has any"
            self.add("missing-key", text, at, "targets: {NAME: {speech: FOLDER}}", key=True)

    def command(self, spec: LevelSpec, at: KeyPath) -> None:
        text = " ".join(spec.command or ())
        for place in ("{input}", "{output}"):
            if place not in text:
                said = f"{dotted(at)}.command has no {place}, the name of a WAV file"
                fix = '[PROGRAM, "{input}", "{output}"]'
                self.add("wrong-value", said, (*at, "command"), f"command: {fix}")
        if spec.latency is None:
            said = f"{dotted(at)} needs `latency`: a program states what it would have as a stream"
            self.add("missing-key", said, at, f"{dotted(at)}.latency: 120ms", key=True)

    def systems(self) -> None:
        """Whether every cell has one system."""
        with_systems = [
            factor
            for factor, levels in self.loaded.factors.items()
            if any(level.is_system for level in levels.values())
        ]
        for factor in with_systems[1:]:
            text = f"the factors {with_systems[0]} and {factor} both give systems"
            self.add("wrong-value", text, ("factors", factor), "put both into one factor", key=True)
        if self.loaded.file.pipeline is not None:
            return
        if not with_systems:
            text = "the experiment has no pipeline: neither `pipeline` nor a level gives one"
            self.add("missing-key", text, (), "pipeline: default-live", key=True)
        for factor in with_systems:
            for level in self.loaded.factors[factor].values():
                if not level.is_system:
                    text = f"{dotted(level.at)} has no pipeline, and the experiment neither"
                    fix = f"{dotted(level.at)}.pipeline: default-live"
                    self.add("missing-key", text, level.at, fix, key=True)

    # ---- names ------------------------------------------------------------------------------

    def factor(self, name: str, at: KeyPath, fix: str) -> bool:
        return self.known("factor", name, self.loaded.factors, at, fix)

    def baselines(self) -> None:
        for factor, level in self.loaded.file.baseline.items():
            at: KeyPath = ("baseline", factor)
            if self.factor(factor, at, "baseline: {{{}: LEVEL}}"):
                levels = self.loaded.factors[factor]
                self.known("level", level, levels, at, f"baseline.{factor}: {{}}")

    def comparisons(self) -> None:
        factors = self.loaded.factors
        for number, entry in enumerate(self.loaded.file.compare):
            at: KeyPath = ("compare", number)
            if self.factor(entry.vary, (*at, "vary"), "vary: {}"):
                levels = factors[entry.vary]
                if entry.baseline is not None:
                    place = (*at, "baseline")
                    self.known("level", entry.baseline, levels, place, "baseline: {}")
                if len(levels) < 2:
                    text = f"{entry.vary} has one level: there is nothing to compare"
                    fix = f"add a level to factors.{entry.vary}"
                    self.add("wrong-value", text, (*at, "vary"), fix)
            for i, name in enumerate(entry.within or ()):
                place = (*at, "within", i)
                if name == entry.vary:
                    text = f"{name} is varied, and cannot be held at the same time"
                    self.add("wrong-value", text, place, f"remove {name} from within")
                elif name != TARGET:
                    self.factor(name, place, "{}")

    def excluded(self) -> Iterator[CellPattern]:
        for number, given in enumerate(self.loaded.file.exclude):
            at: KeyPath = ("exclude", number)
            try:
                found = CellPattern.parse(given) if isinstance(given, str) else CellPattern(given)
            except ValueError as error:
                self.add("wrong-value", f"exclude: {error}", at, '"factor=level, factor=level"')
                continue
            wrong = [f for f, level in found.levels.items() if not self.pattern(f, level, at)]
            if not wrong:
                yield found

    def pattern(self, factor: str, level: str, at: KeyPath) -> bool:
        """Whether a part of a pattern names a level."""
        factors: dict[str, Iterable[str]] = {**self.loaded.factors, TARGET: self.loaded.targets}
        if not self.known("factor", factor, factors, at, f"{{}}={level}"):
            return False
        names = list(factors[factor])
        parts = [part.strip() for part in level.split("|")]
        unknown = [
            part
            for part in parts
            if not any(CellPattern({factor: part}).matches({factor: name}) for name in names)
        ]
        for part in unknown:
            self.known("level", part, names, at, f"{factor}={{}}")
        return not unknown

    # ---- the rest ---------------------------------------------------------------------------

    def design(self) -> None:
        counts = {factor: len(levels) for factor, levels in self.loaded.factors.items()}
        if self.loaded.file.design == "zip" and len(set(counts.values())) > 1:
            listed = ", ".join(f"{factor} {count}" for factor, count in counts.items())
            text = f"design: zip needs factors with equally many levels, found {listed}"
            self.add("wrong-value", text, ("design",), "design: product")

    def bounds(self) -> None:
        for name, bounds in self.loaded.file.require.items():
            at: KeyPath = ("require", name)
            least, greatest = bounds.least, bounds.greatest
            if least is None and greatest is None:
                text = f"require.{name} has neither min nor max"
                self.add("missing-key", text, at, f"require: {{{name}: {{max: 480}}}}")
            elif least is not None and greatest is not None and least > greatest:
                text = f"require.{name}: min is above max, so no cell would be left"
                self.add("wrong-value", text, at, "exchange them")

    def python_files(self, key: str, names: Iterable[str] | None) -> Iterator[Path]:
        for number, name in enumerate(names or ()):
            at: KeyPath = (key, number)
            path = self.loaded.resolve(at, name)
            if path.is_file():
                yield path
                continue
            there = sorted(found.name for found in path.parent.glob("*.py"))
            close = difflib.get_close_matches(path.name, there, 1, 0.5)
            self.add("no-such-file", f"{path} does not exist", at, (close or ["check the name"])[0])
