"""Horizontal positions: each item as close to its neighbours as its rank allows.

Each rank in turn minimises the weighted squared distance to the positions that its neighbours
suggest, so that nothing overlaps. With the widths subtracted, that is isotonic
regression, which pooling adjacent violators solves exactly (R. Barlow et al., "Statistical
inference under order restrictions", 1972).
"""

from __future__ import annotations

from statistics import median

from ._rank_item import RankItem

GAP = 22.0
"""Least space between two items of a rank."""
_SWEEPS, _SETTLE = 24, 60
"""Rounds in which each rank follows one neighbouring rank, and rounds in which it follows both."""
_BEND_WEIGHT = 4.0
"""Weight of a bend, above that of a box, so that long edges become straight."""
_BACK_WEIGHT = 0.05
"""Weight of back edges and of items without neighbours, below all others."""


def place_ranks(layers: list[list[RankItem]]) -> None:
    """Sets the x of every item; the leftmost is at 0."""
    for layer in layers:
        x = 0.0
        for item in layer:
            item.x = x
            x += item.width + GAP
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            _place(layer, [_wanted(item, item.above if down else item.below) for item in layer])
    for _ in range(_SETTLE):
        for layer in layers:
            _place(layer, [_wanted(item, [*item.above, *item.below]) for item in layer])
    for layer in layers:  # finally, each rank aligns with the one above, for straight lines
        _place(layer, [_wanted(item, item.above) for item in layer])
    left = min((item.x for layer in layers for item in layer), default=0.0)
    for layer in layers:
        for item in layer:
            item.x -= left


def _wanted(item: RankItem, links: list[tuple[RankItem, float, float]]) -> tuple[float, float]:
    """The median position that the neighbours suggest, and its weight."""
    if item.beside:
        return max(box.x + box.width for box in item.beside) + GAP, _BACK_WEIGHT
    if not links:
        return item.x, _BACK_WEIGHT
    pulls = [other.x + other_x - own_x for other, other_x, own_x in links]
    weight = _BACK_WEIGHT if item.back else 1.0 if item.height else _BEND_WEIGHT
    return median(pulls), weight * len(pulls)


def _place(layer: list[RankItem], wanted: list[tuple[float, float]]) -> None:
    offsets, offset = [], 0.0
    for item in layer:
        offsets.append(offset)
        offset += item.width + GAP
    pools: list[list[float]] = []  # mean, weight, members
    for (x, weight), shift in zip(wanted, offsets, strict=True):
        pools.append([x - shift, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, weight, members = pools.pop()
            last = pools[-1]
            total = last[1] + weight
            pools[-1] = [(last[0] * last[1] + mean * weight) / total, total, last[2] + members]
    means = [mean for mean, _, members in pools for _ in range(int(members))]
    for item, mean, shift in zip(layer, means, offsets, strict=True):
        item.x = mean + shift
