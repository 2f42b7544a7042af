"""Levels of factors: every form in which a file gives them, reduced to one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from voicegraph.graph.errors import PipelineError, Problems
from voicegraph.graph.loading.document import Document
from voicegraph.graph.loading.overrides import Override, from_document, split_path
from voicegraph.graph.loading.source_map import KeyPath
from voicegraph.graph.loading.sources import Source, locate
from voicegraph.schemas.experiment import ExperimentFile
from voicegraph.schemas.experiment_factors import (
    Factor,
    LevelSpec,
    NodeLevel,
    SwapFactor,
    ValuesFactor,
    values_by_name,
)

Kind = Literal["pipeline", "command", "source", "target", "overrides", "condition"]


@dataclass(frozen=True, slots=True)
class Command:
    """A system that is a program: it makes a WAV file of a WAV file.

    Attributes:
        argv: program and arguments, with ``{input}``, ``{output}``, ``{target}`` and ``{seed}``. A
            program that is named by a relative path is that beside the experiment file.
        latency: stated latency in seconds.
        rate: sample rate of the WAV file that it gets, in Hz; None: the clip's.
        version: of the program.
        files: files that decide what it does.
    """

    argv: tuple[str, ...]
    latency: Fraction
    rate: Fraction | None = None
    version: str = ""
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class FactorLevel:
    """A level of a factor.

    Attributes:
        factor: its factor.
        name: its name.
        at: where it is in the file.
        kind: a system (a pipeline, a command, the clips themselves, the target's own speech);
            overrides of the system that another factor gives; or a condition of the clip.
        pipeline: name of a shipped pipeline, or path of a file; None if it gives none.
        profiles: profiles of the pipeline.
        overrides: overrides, with their places in the file; they follow the profiles.
        conditions: conditions of the clip in the order in which they apply; the first key of each
            names it, and all its keys are its params.
        command: the program.
        match: how params are adapted to each clip.
        targets: names of the targets with which it is combined; None: all.
        optional: whether it may be left out if something that it needs is missing.
    """

    factor: str
    name: str
    at: KeyPath
    kind: Kind
    pipeline: str | Path | None = None
    profiles: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    conditions: tuple[Mapping[str, Any], ...] = ()
    command: Command | None = None
    match: tuple[str, ...] = ()
    targets: tuple[str, ...] | None = None
    optional: bool = False

    @property
    def is_system(self) -> bool:
        """Whether it says what converts the clips."""
        return self.kind in ("pipeline", "command", "source", "target")


@dataclass(frozen=True, slots=True)
class LevelReader:
    """Reads the levels of a document.

    Attributes:
        document: the values with their places, vars substituted.
        file: the same, validated.
        source: the file.
        problems: gets the mistakes.
    """

    document: Document
    file: ExperimentFile
    source: Source
    problems: Problems

    def factors(self) -> dict[str, dict[str, FactorLevel]]:
        """Factor -> name of the level -> level, in the order of the file."""
        return {name: self._levels(name, factor) for name, factor in self.file.factors.items()}

    def overrides(self, at: KeyPath, given: Mapping[str, Any]) -> tuple[Override, ...]:
        """Overrides by dotted path that are written at a place."""
        return tuple(self._placed(((*at, path), path, value) for path, value in given.items()))

    def pipeline(self, at: KeyPath, name: str) -> str | Path | None:
        """The shipped name, or the path, of a pipeline that is named at a place."""
        beside = Source(self.document.source_map.base(at) / "experiment.yaml", self.source.shown)
        try:
            found = locate(name, beside, self.document.source_map.value(at))
        except PipelineError as error:
            self.problems.found.extend(error.problems)
            return None
        return name if found.shipped else found.path

    def _placed(self, entries: Iterable[tuple[KeyPath, str, Any]]) -> Iterable[Override]:
        for at, path, value in entries:
            try:
                keys = split_path(path, self.document.source_map.key(at))
            except PipelineError as error:
                self.problems.found.extend(error.problems)
                continue
            # The value as written: validation has turned quantities into numbers.
            yield from_document(self.document, at, value, keys)

    def _levels(self, name: str, factor: Factor) -> dict[str, FactorLevel]:
        if isinstance(factor, SwapFactor):
            node = f"nodes.{factor.swap}"
            return {
                level: self._of_node(name, level, node, spec)
                for level, spec in factor.levels.items()
            }
        if isinstance(factor, ValuesFactor):
            return {
                level: self._of_value(name, factor, number, level, value)
                for number, (level, value) in enumerate(values_by_name(factor).items())
            }
        return {level: self._plain(name, level, spec) for level, spec in factor.items()}

    def _of_value(
        self, factor: str, spec: ValuesFactor, number: int, level: str, value: Any
    ) -> FactorLevel:
        key = number if isinstance(spec.values, list) else level
        at: KeyPath = ("factors", factor, "values", key)
        placed = tuple(self._placed([(at, spec.path, value)]))
        return FactorLevel(factor, level, at, "overrides", overrides=placed)

    def _of_node(self, factor: str, level: str, node: str, spec: str | NodeLevel) -> FactorLevel:
        at: KeyPath = ("factors", factor, "levels", level)
        if isinstance(spec, str):
            placed = tuple(self._placed([(at, f"{node}.use", spec)]))
            return FactorLevel(factor, level, at, "overrides", overrides=placed)
        given = {"use": spec.use, "dtype": spec.dtype, "device": spec.device}
        entries: list[tuple[KeyPath, str, Any]] = [
            ((*at, key), f"{node}.{key}", value)
            for key, value in given.items()
            if value is not None
        ]
        entries += [
            ((*at, "params", param), f"{node}.params.{param}", value)
            for param, value in spec.params.items()
        ]
        entries += [
            ((*at, "assets", asset), f"assets.{asset}", value)
            for asset, value in spec.assets.items()
        ]
        placed = (*self._placed(entries), *self.overrides((*at, "set"), spec.overrides))
        return FactorLevel(factor, level, at, "overrides", overrides=placed, optional=spec.optional)

    def _plain(self, factor: str, level: str, spec: Any) -> FactorLevel:
        at: KeyPath = ("factors", factor, level)
        if not isinstance(spec, LevelSpec):
            given = spec if isinstance(spec, list) else [spec] if spec else []
            return FactorLevel(factor, level, at, "condition", conditions=tuple(given))
        return FactorLevel(
            factor,
            level,
            at,
            self._kind(spec),
            self.pipeline((*at, "pipeline"), spec.pipeline) if spec.pipeline else None,
            tuple(spec.profile or ()),
            self.overrides((*at, "set"), spec.overrides),
            command=self._command(at, spec) if spec.command else None,
            match=tuple(spec.match or ()),
            targets=None if spec.targets is None else tuple(spec.targets),
            optional=spec.optional,
        )

    @staticmethod
    def _kind(spec: LevelSpec) -> Kind:
        if spec.pipeline:
            return "pipeline"
        return "command" if spec.command else spec.system or "overrides"

    def _command(self, at: KeyPath, spec: LevelSpec) -> Command:
        program, *arguments = spec.command or [""]
        if "/" in program or "\\" in program:
            program = str(self.document.source_map.resolve((*at, "command", 0), program))
        files = tuple(
            self.document.source_map.resolve((*at, "files"), name) for name in spec.files or ()
        )
        latency = spec.latency or Fraction(0)
        return Command((program, *arguments), latency, spec.rate, spec.version or "", files)
