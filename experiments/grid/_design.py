"""Which combinations of levels an experiment has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..file.factor_levels import FactorLevel
from ..file.loaded_experiment import LoadedExperiment, LoadedTarget

_WITHOUT_EFFECT = {
    "pipeline": frozenset[str](),
    "command": frozenset({"overrides"}),
    "source": frozenset({"overrides"}),
    "target": frozenset({"overrides", "condition"}),
}
"""Kinds of levels that do not change a system: a program has no nodes, held-out speech no noise."""


@dataclass(frozen=True, slots=True)
class Combination:
    """Levels, one of each factor that has an effect, and a target.

    Attributes:
        levels: by factor, in the order of the file.
        target: whose voice it should be; None if the experiment has no targets.
    """

    levels: Mapping[str, FactorLevel]
    target: LoadedTarget | None

    @property
    def system(self) -> FactorLevel | None:
        """The level that says what converts; None: the pipeline of the experiment."""
        return next((level for level in self.levels.values() if level.is_system), None)

    @property
    def names(self) -> dict[str, str]:
        """Factor -> name of the level."""
        return {factor: level.name for factor, level in self.levels.items()}

    @property
    def pattern(self) -> dict[str, str]:
        """As patterns see it: with the target."""
        return self.names if self.target is None else {**self.names, "target": self.target.name}

    def with_level(self, level: FactorLevel) -> Combination:
        """The combination with another level of one factor."""
        return Combination({**self.levels, level.factor: level}, self.target)


def combinations(
    loaded: LoadedExperiment, left_out: frozenset[tuple[str, str]] = frozenset()
) -> Iterator[Combination]:
    """All combinations of an experiment, each once.

    A factor that has no effect on a system is left out of its combinations.

    Args:
        loaded: the experiment.
        left_out: factor and level of what is optional and missing.
    """
    seen: set[tuple[object, ...]] = set()
    for levels in _designed(loaded):
        if any((level.factor, level.name) in left_out for level in levels.values()):
            continue
        effective = _effective(loaded, levels)
        for target in _targets(loaded, levels):
            names = tuple((level.factor, level.name) for level in effective.values())
            mark = (names, None if target is None else target.name)
            if mark not in seen:
                seen.add(mark)
                yield Combination(effective, target)


def _designed(loaded: LoadedExperiment) -> Iterator[dict[str, FactorLevel]]:
    factors = loaded.factors
    columns = [list(levels.values()) for levels in factors.values()]
    if loaded.file.design == "product":
        rows: Iterator[tuple[FactorLevel, ...]] = itertools.product(*columns)
    elif loaded.file.design == "zip":
        rows = zip(*columns, strict=False) if columns else iter([()])
    else:
        rows = _one_at_a_time(loaded)
    for row in rows:
        yield dict(zip(factors, row, strict=True))


def _one_at_a_time(loaded: LoadedExperiment) -> Iterator[tuple[FactorLevel, ...]]:
    base = [levels[loaded.baseline(factor)] for factor, levels in loaded.factors.items()]
    yield tuple(base)
    for place, levels in enumerate(loaded.factors.values()):
        for level in levels.values():
            if level is not base[place]:
                yield (*base[:place], level, *base[place + 1 :])


def _effective(
    loaded: LoadedExperiment, levels: Mapping[str, FactorLevel]
) -> dict[str, FactorLevel]:
    system = next((level for level in levels.values() if level.is_system), None)
    without = _WITHOUT_EFFECT["pipeline" if system is None else system.kind]
    kinds = {
        factor: {level.kind for level in known.values()} for factor, known in loaded.factors.items()
    }
    return {
        factor: level
        for factor, level in levels.items()
        if level.is_system or not kinds[factor] <= without
    }


def _targets(
    loaded: LoadedExperiment, levels: Mapping[str, FactorLevel]
) -> Iterator[LoadedTarget | None]:
    if not loaded.targets:
        yield None
    for target in loaded.targets.values():
        if all(level.targets is None or target.name in level.targets for level in levels.values()):
            yield target
