"""A family of paired comparisons: differences, intervals, tests, effect sizes, verdicts.

A comparison that cannot be made has the verdict ``not tested`` and a reason; then only the means
and their difference are given, which describe and infer nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from .correction import Correction, corrected
from .equivalence import p_equivalence
from .intervals import constant, mean_intervals
from .power import LEVEL, detectable_effect
from .reachable_p import NEEDED, draws_of, why_unreachable
from .significance import Test, p_values

Verdict = Literal["better", "worse", "different", "equivalent", "no difference shown", "not tested"]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two systems on the same speakers, in one metric.

    Attributes:
        level: means of the speakers with the system, float64 ``[speakers]``.
        baseline: with the one that it is compared with.
        better: which values are.
        margin: differences up to it do not matter; None if that was not declared.
    """

    level: np.ndarray
    baseline: np.ndarray
    better: Literal["higher", "lower"] | None = None
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of a difference.

    Attributes:
        n: speakers.
        mean: of the level; None without speakers.
        mean_baseline: of the baseline.
        difference: mean of the paired differences, level less baseline.
        low: 95 % BCa interval of the difference.
        high: its upper end.
        p: of the test, two-sided.
        p_corrected: within the family.
        d_z: mean over standard deviation of the differences.
        superiority: share of speakers who are better with the level, ties count half; without a
            direction, whose value is higher.
        p_equivalence: of two one-sided tests against the margin, corrected in a family of its own.
        equivalent: whether the margin holds; None without a margin.
        detectable: least difference that n speakers show with power .8 at level .05.
        verdict: the result in words.
        why: why it was not tested, or what limits the verdict.
    """

    n: int
    mean: float | None = None
    mean_baseline: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    p_corrected: float | None = None
    d_z: float | None = None
    superiority: float | None = None
    p_equivalence: float | None = None
    equivalent: bool | None = None
    detectable: float | None = None
    verdict: Verdict = "not tested"
    why: str = ""


def compare_family(
    family: Sequence[Pairs],
    test: Test = "permutation",
    correct: Correction = "holm",
    *,
    seed: int = 0,
    draws: int | None = None,
) -> list[Comparison]:
    """Compares every pair of systems of a family; the same numbers for the same seed.

    Args:
        family: what is corrected together.
        test: how p is computed.
        correct: how it is corrected.
        seed: of resamples and random sign flips.
        draws: number of random sign flips; by default 10,000, or more for a large family.

    Raises:
        ValueError: if the two sides of a comparison differ in length.
    """
    found = [_describe(pairs) for pairs in family]
    tested = [i for i, one in enumerate(found) if not one.why]
    flips = draws or draws_of(len(tested))
    groups: dict[int, list[int]] = defaultdict(list)
    for i in tested:
        groups[found[i].n].append(i)
    for members in groups.values():
        made = _infer([family[i] for i in members], test, seed, flips)
        for i, one in zip(members, made, strict=True):
            found[i] = one
    found = _correct(found, correct)
    limit = {n: why_unreachable(n, test, len(tested), correct, flips) for n in groups}
    return [
        one if one.why else _judge(one, pairs, limit[one.n])
        for one, pairs in zip(found, family, strict=True)
    ]


def _describe(pairs: Pairs) -> Comparison:
    """Means, and why the comparison is not tested, if it is not."""
    if pairs.level.shape != pairs.baseline.shape:
        raise ValueError(f"{len(pairs.level)} speakers cannot be paired with {len(pairs.baseline)}")
    n = len(pairs.level)
    if not n:
        return Comparison(0, why="no speaker has a value of both")
    difference = pairs.level - pairs.baseline
    if not np.isfinite(difference).all():
        return Comparison(n, why="a value is not finite")
    why = ""
    if n < NEEDED:
        spoken = "1 speaker has" if n == 1 else f"{n} speakers have"
        why = f"{spoken} a value of both, {NEEDED} are needed"
    elif _equal(pairs):
        why = (
            "the values of both are the same"
            if not difference.any()
            else f"all {n} differences are equal"
        )
    means = (float(pairs.level.mean()), float(pairs.baseline.mean()), float(difference.mean()))
    return Comparison(n, *means, why=why)


def _equal(pairs: Pairs) -> bool:
    """Whether the differences differ by no more than rounding of the values."""
    size = max(np.abs(pairs.level).max(), np.abs(pairs.baseline).max())
    difference = pairs.level - pairs.baseline
    return bool(np.ptp(difference) <= 1e-12 * size or constant(difference[:, None])[0])


def _infer(group: Sequence[Pairs], test: Test, seed: int, draws: int) -> list[Comparison]:
    """Inference about comparisons with equally many speakers, not corrected yet."""
    differences = np.stack([pairs.level - pairs.baseline for pairs in group], 1)
    low, high = mean_intervals(differences, seed)
    p = p_values(differences, test, seed, draws)
    spread = differences.std(0, ddof=1)
    made = []
    for i, pairs in enumerate(group):
        column = differences[:, i]
        equivalence = None if pairs.margin is None else p_equivalence(column, pairs.margin)
        made.append(
            replace(
                _describe(pairs),
                low=float(low[i]),
                high=float(high[i]),
                p=float(p[i]),
                d_z=float(column.mean() / spread[i]),
                superiority=_superiority(column, pairs.better),
                p_equivalence=equivalence,
                detectable=float(detectable_effect(len(column)) * spread[i]),
            )
        )
    return made


def _superiority(differences: np.ndarray, better: Literal["higher", "lower"] | None) -> float:
    gain = -differences if better == "lower" else differences
    return float(np.mean(gain > 0) + np.mean(gain == 0) / 2)


def _correct(found: Sequence[Comparison], method: Correction) -> list[Comparison]:
    p = corrected([one.p for one in found], method)
    equivalence = corrected([one.p_equivalence for one in found], method)
    return [
        replace(one, p_corrected=first, p_equivalence=second)
        for one, first, second in zip(found, p, equivalence, strict=True)
    ]


def _judge(one: Comparison, pairs: Pairs, limit: str) -> Comparison:
    """The verdict. A declared margin says which differences matter, so it comes first."""
    equivalent = None if one.p_equivalence is None else one.p_equivalence <= LEVEL
    return replace(
        one,
        equivalent=equivalent,
        verdict="equivalent" if equivalent else _significance(one, pairs.better),
        why=limit,
    )


def _significance(one: Comparison, better: Literal["higher", "lower"] | None) -> Verdict:
    assert one.difference is not None
    if one.p_corrected is None or one.p_corrected > LEVEL:
        return "no difference shown"
    if better is None:
        return "different"
    return "better" if (one.difference > 0) == (better == "higher") else "worse"
