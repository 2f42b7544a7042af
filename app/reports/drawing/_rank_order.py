"""The order of items in each rank: barycentres, swept down and up to reduce crossings."""

from __future__ import annotations

from ._rank_item import RankItem

_SWEEPS = 12


def order_ranks(layers: list[list[RankItem]]) -> list[list[RankItem]]:
    """The layers, each in an order with few crossings of edges."""
    current = [sorted(layer, key=lambda item: item.back) for layer in layers]
    best, fewest = current, crossings(current)
    for sweep in range(_SWEEPS):
        current = _sweep(current, down=sweep % 2 == 0)
        count = crossings(current)
        if count < fewest:
            best, fewest = current, count
    return best


def _sweep(layers: list[list[RankItem]], down: bool) -> list[list[RankItem]]:
    ordered = list(layers)
    places: dict[int, float] = {}
    for rank in range(len(layers)) if down else reversed(range(len(layers))):
        layer = list(ordered[rank])
        keys = {id(item): _barycentre(item, places, down, i) for i, item in enumerate(layer)}
        layer.sort(key=lambda item: (item.back, keys[id(item)]))
        places.update((id(item), float(i)) for i, item in enumerate(layer))
        ordered[rank] = layer
    return ordered


def _barycentre(item: RankItem, places: dict[int, float], down: bool, own: int) -> float:
    """Mean position of the neighbours and their ports; an item without neighbours keeps its own."""
    links = item.above if down else item.below
    near = [places[id(other)] + _within(other, x) for other, x, _ in links if id(other) in places]
    return sum(near) / len(near) if near else float(own)


def _within(item: RankItem, x: float) -> float:
    return x / item.width - 0.5 if item.width else 0.0


def crossings(layers: list[list[RankItem]]) -> int:
    """Number of crossings of edges between neighbouring ranks."""
    places = {id(item): float(i) for layer in layers for i, item in enumerate(layer)}
    total = 0
    for layer in layers:
        lines = [
            (places[id(item)] + _within(item, own), places[id(other)] + _within(other, x))
            for item in layer
            for other, x, own in item.below
        ]
        total += sum(
            (a - c) * (b - d) < 0 for i, (a, b) in enumerate(lines) for c, d in lines[i + 1 :]
        )
    return total
