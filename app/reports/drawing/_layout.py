"""Layered layout of a graph: ranks, order within a rank, coordinates. Pure geometry, no text.

After K. Sugiyama, S. Tagawa and M. Toda, "Methods for visual understanding of hierarchical system
structures", IEEE Trans. SMC 11 (1981): nodes are ranked along their longest path, edges that span
several ranks get a bend in each, and barycentres bring neighbours close to each other. Labels of
edges are bends with a size, in separate ranks between those of the boxes, so that nothing overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ._rank_item import RankItem
from ._rank_order import order_ranks
from ._rank_placement import place_ranks

Point = tuple[float, float]
MIN_GAP, MAX_GAP = 16.0, 56.0
"""Space between ranks; it grows with the horizontal length of the edges."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of a box or a label."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge from box to box.

    Attributes:
        source: index of the box it leaves at the bottom, ``source_x`` from that box's left.
        target: index of the box it enters at the top, ``target_x`` from that box's left.
        label: the size of its label.
        back: whether it runs against the order of ranks.
    """

    source: int
    source_x: float
    target: int
    target_x: float
    label: Size
    back: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions of boxes, labels and edges.

    Attributes:
        boxes: left and top of each box.
        labels: left and top of each edge's label.
        routes: for each edge the points it passes from port to port: at each bend the rim of the
            rank where it enters and the rim where it leaves. A back edge turns round below its
            source and above its target.
        width: of the whole.
        height: of the whole.
    """

    boxes: list[Point]
    labels: list[Point]
    routes: list[list[Point]]
    width: float
    height: float


def layout(boxes: Sequence[Size], edges: Sequence[Edge]) -> Layout:
    """Places boxes, labels and edges; nothing overlaps. Deterministic.

    Edges that are not ``back`` must form no cycle.
    """
    ranks = _rank(len(boxes), edges)
    # A back edge that leads down in spite of its name is drawn as any other.
    edges = [replace(e, back=e.back and ranks[e.source] >= ranks[e.target]) for e in edges]
    items = [
        RankItem(size.width, size.height, rank) for size, rank in zip(boxes, ranks, strict=True)
    ]
    chains = [_chain(items, edge) for edge in edges]
    labels = [max(chain, key=lambda item: item.height) for chain in chains]
    everything = [*items, *(item for chain in chains for item in chain)]
    count = max((item.rank for item in everything), default=0) + 1
    layers = [[item for item in everything if item.rank == rank] for rank in range(count)]
    layers = order_ranks(layers)
    place_ranks(layers)
    rims = _stack(layers)
    routes = [
        _route(items[e.source], items[e.target], e, chain, rims)
        for e, chain in zip(edges, chains, strict=True)
    ]
    return Layout(
        [(item.x, item.y) for item in items],
        [(item.x, item.y) for item in labels],
        routes,
        max((item.x + item.width for item in everything), default=0.0),
        rims[-1][1] if rims else 0.0,
    )


def _rank(count: int, edges: Sequence[Edge]) -> list[int]:
    """Longest path from the sources, in steps of two; labels are in between."""
    forward = [edge for edge in edges if not edge.back]
    ranks = [0] * count
    for _ in range(count):
        raised = False
        for edge in forward:
            if ranks[edge.target] < ranks[edge.source] + 2:
                ranks[edge.target] = ranks[edge.source] + 2
                raised = True
        if not raised:
            break
    fed = {edge.target for edge in forward}
    for box in range(1, count):  # a generator is just above its first reader; box 0 is on top
        readers = [ranks[edge.target] for edge in forward if edge.source == box]
        if box not in fed and readers:
            ranks[box] = min(readers) - 2
    return ranks


def _chain(items: list[RankItem], edge: Edge) -> list[RankItem]:
    """The bends of an edge from top to bottom, linked to each other.

    They are in the ranks between its ends; for a back edge, in those from its target to its source.
    """
    source, target = items[edge.source], items[edge.target]
    ranks = range(source.rank + 1, target.rank)
    if edge.back:
        ranks = range(target.rank, source.rank + 1)
    chain = [RankItem(10.0, 0.0, rank, back=edge.back) for rank in ranks]
    if edge.back:
        chain[0].beside.append(target)
        chain[-1].beside.append(source)
    odd = [item for item in chain if item.rank % 2] or chain
    label = odd[len(odd) // 2] if edge.back else odd[0]
    label.width, label.height = edge.label.width, edge.label.height
    for a, b in pairwise(chain):
        _link(a, a.middle, b, b.middle)
    if not edge.back:
        _link(source, edge.source_x, chain[0], chain[0].middle)
        _link(chain[-1], chain[-1].middle, target, edge.target_x)
    return chain


def _link(above: RankItem, above_x: float, below: RankItem, below_x: float) -> None:
    above.below.append((below, below_x, above_x))
    below.above.append((above, above_x, below_x))


def _stack(layers: list[list[RankItem]]) -> list[tuple[float, float]]:
    """Sets the y of every item, and returns the upper and lower rim of each rank."""
    rims: list[tuple[float, float]] = []
    top = 0.0
    for layer in layers:
        height = max((item.height for item in layer), default=0.0)
        for item in layer:
            item.y = top + (height - item.height) / 2
        rims.append((top, top + height))
        sideways = [abs(i.x + own - o.x - other) for i in layer for o, other, own in i.below]
        gap = min(MIN_GAP + 0.1 * max(sideways, default=0.0), MAX_GAP)
        top += height + gap if height else 0.0
    return rims


def _route(
    source: RankItem,
    target: RankItem,
    edge: Edge,
    chain: list[RankItem],
    rims: list[tuple[float, float]],
) -> list[Point]:
    start = (source.x + edge.source_x, source.y + source.height)
    end = (target.x + edge.target_x, target.y)
    bends = [(item.x + item.middle, *rims[item.rank]) for item in chain]
    if edge.back:
        return [start, *((x, y) for x, low, high in reversed(bends) for y in (high, low)), end]
    return [start, *((x, y) for x, low, high in bends for y in (low, high)), end]
