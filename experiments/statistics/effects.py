"""Main effects of factors and their interactions, over what all combinations have.

With an analysis of variance with repeated measures, by statsmodels: each speaker is measured at
every combination of levels.

Source: E. R. Girden, "ANOVA: Repeated Measures", 1992.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from .speakers import Unit, speaker_means

Levels = tuple[str, ...]
"""A level of each factor."""


@dataclass(frozen=True, slots=True)
class Effect:
    """A factor, or two of them.

    Attributes:
        factors: one or two names.
        means: levels -> mean over speakers and over all levels of the other factors.
        interaction: levels -> what the mean differs from the sum of both main effects.
        f: of the analysis of variance; None if there is none.
        p: its p, not corrected for the number of effects.
        why: why there is none.
    """

    factors: tuple[str, ...]
    means: Mapping[Levels, float]
    interaction: Mapping[Levels, float]
    f: float | None = None
    p: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Effects:
    """All effects of an experiment in one metric.

    Attributes:
        speakers: who has a value at every combination.
        effects: of single factors, then of pairs.
        why: why there are none.
    """

    speakers: tuple[str, ...]
    effects: tuple[Effect, ...]
    why: str = ""


def factor_effects(
    values: Mapping[Levels, Mapping[Unit, float]], factors: Mapping[str, Sequence[str]]
) -> Effects:
    """Effects of factors, over the units that all combinations of levels have.

    Args:
        values: levels, in the order of ``factors`` -> values.
        factors: name -> levels, of which at least two are there.
    """
    missing = [levels for levels in product(*factors.values()) if levels not in values]
    if missing or not values:
        named = ", ".join("/".join(levels) for levels in missing[:3]) or "all"
        return Effects((), (), f"combinations of levels are missing: {named}")
    common = set.intersection(
        *(
            {unit for unit, value in found.items() if np.isfinite(value)}
            for found in values.values()
        )
    )
    means = {
        levels: speaker_means({unit: found[unit] for unit in common})
        for levels, found in values.items()
    }
    speakers = tuple(sorted({unit.speaker for unit in common}))
    if not speakers:
        return Effects((), (), "no clip has a value at every combination of levels")
    names = tuple(factors)
    groups = [(name,) for name in names] + list(combinations(names, 2))
    variance = _variance(means, names, speakers)
    return Effects(speakers, tuple(_effect(group, means, names, variance) for group in groups))


Means = Mapping[Levels, Mapping[str, float]]
_Variance = Mapping[tuple[str, ...], tuple[float, float]] | str


def _effect(
    group: tuple[str, ...], means: Means, names: tuple[str, ...], variance: _Variance
) -> Effect:
    marginal = _marginal(group, means, names)
    interaction: dict[Levels, float] = {}
    if len(group) == 2:
        first, second = (_marginal((name,), means, names) for name in group)
        grand = float(np.mean(list(marginal.values())))
        interaction = {
            (a, b): value - first[a,] - second[b,] + grand for (a, b), value in marginal.items()
        }
    if isinstance(variance, str):
        return Effect(group, marginal, interaction, why=variance)
    return Effect(group, marginal, interaction, *variance[group])


def _marginal(group: tuple[str, ...], means: Means, names: tuple[str, ...]) -> dict[Levels, float]:
    places = [names.index(name) for name in group]
    found: dict[Levels, list[float]] = {}
    for levels, speakers in means.items():
        key = tuple(levels[place] for place in places)
        found.setdefault(key, []).append(float(np.mean(list(speakers.values()))))
    return {key: float(np.mean(part)) for key, part in found.items()}


def _variance(means: Means, names: tuple[str, ...], speakers: Sequence[str]) -> _Variance:
    """F and p of each effect, or why there are none."""
    if len(speakers) < 6:
        return f"{len(speakers)} speakers have values of all combinations, 6 are needed"
    table = np.array([[means[levels][one] for levels in means] for one in speakers])
    rounding = 1e-9 * max(float(np.abs(table).max()), 1e-300)
    if table.std(0).max() <= rounding or np.ptp(table - table[:, :1], 0).max() <= rounding:
        return "the values of all speakers are equal"
    import pandas
    from statsmodels.stats.anova import AnovaRM

    columns = {f"f{i}": [] for i in range(len(names))} | {"speaker": [], "value": []}
    for levels, found in means.items():
        for speaker in speakers:
            for i, level in enumerate(levels):
                columns[f"f{i}"].append(level)
            columns["speaker"].append(speaker)
            columns["value"].append(found[speaker])
    within = [f"f{i}" for i in range(len(names))]
    made = AnovaRM(pandas.DataFrame(columns), "value", "speaker", within=within).fit().anova_table
    return {
        tuple(names[int(part[1:])] for part in str(row).split(":")): (
            float(made.loc[row, "F Value"]),
            float(made.loc[row, "Pr > F"]),
        )
        for row in made.index
    }
