"""One item of a rank in a layered layout."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class RankItem:
    """Something in a rank: a box, a label, or a bend of an edge.

    Attributes:
        above: edges to items in the rank above: (item, x within it, x within this one).
        below: the same for the rank below.
        beside: for a bend where a back edge turns round: the box that it goes round, in the same
            rank. Back edges run on the right of everything else.
        back: whether it belongs to a back edge.
    """

    width: float
    height: float
    rank: int
    x: float = 0.0
    y: float = 0.0
    above: list[tuple[RankItem, float, float]] = field(default_factory=list)
    below: list[tuple[RankItem, float, float]] = field(default_factory=list)
    beside: list[RankItem] = field(default_factory=list)
    back: bool = False

    @property
    def middle(self) -> float:
        """Its centre, from its own left."""
        return self.width / 2
