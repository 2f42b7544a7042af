"""Compute times of two plans that ran in turns, and their ratio."""

from __future__ import annotations

import numpy as np

from voicegraph.schemas.comparison_report import CostComparison, SideCost

from ..metrics.benchmark import describe_machine, undisturbed_ms
from ._lockstep import Side

_PARTS = 20
_FEWEST = 4
"""Parts of a run from which on a spread is given."""


def compare_costs(a: Side, b: Side) -> CostComparison:
    """The costs of both, of the blocks that they have processed so far."""
    one, two = _cost(a), _cost(b)
    ratios = _ratios(a, b)
    spread = np.percentile(ratios, [25, 75]) if len(ratios) >= _FEWEST else None
    seconds = [float(len(side.times.cpu) * side.plan.block) for side in (a, b)]
    before, after = one.cpu_total_s / seconds[0], two.cpu_total_s / seconds[1]
    walls = [cost.undisturbed_ms / float(s.plan.block) for cost, s in ((one, a), (two, b))]
    return CostComparison(
        a=one,
        b=two,
        blocks=[len(a.times.cpu), len(b.times.cpu)],
        cpu_ratio=float(np.median(ratios)) if len(ratios) else after / before if before else None,
        cpu_ratio_range=None if spread is None else [float(value) for value in spread],
        wall_ratio=walls[1] / walls[0],
        machine=describe_machine(),
    )


def _cost(side: Side) -> SideCost:
    wall, cpu = (np.array(times) for times in (side.times.wall, side.times.cpu))
    return SideCost(
        cpu_ms=float(np.median(cpu) / 1e6),
        cpu_total_s=float(cpu.sum() / 1e9),
        wall_ms=float(np.median(wall) / 1e6),
        undisturbed_ms=undisturbed_ms(wall),
        threads=side.threads,
    )


def _ratios(a: Side, b: Side) -> np.ndarray:
    """CPU time of B over A in successive parts of the run; a coarse clock has shown some in each.

    Windows counts CPU time in steps of 16 ms: parts without any in A are left out.
    """
    blocks = min(len(side.times.cpu) for side in (a, b))
    parts = min(_PARTS, blocks)
    sums = [
        np.array([part.sum() for part in np.array_split(np.array(side.times.cpu, float), parts)])
        for side in (a, b)
    ]
    # The same seconds of sound in each part, up to a block.
    seconds = [
        np.array([len(part) for part in np.array_split(side.times.cpu, parts)])
        * float(side.plan.block)
        for side in (a, b)
    ]
    shares = [found / length for found, length in zip(sums, seconds, strict=True)]
    known = shares[0] > 0
    return shares[1][known] / shares[0][known]
