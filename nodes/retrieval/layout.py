"""What a serialised FAISS index consists of, as its headers say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .cursor import Cursor, MalformedError

L2 = 1
METRICS = {
    0: "inner product",
    L2: "squared L2",
    2: "L1",
    3: "L infinity",
    4: "Lp",
    20: "Canberra",
    21: "Bray-Curtis",
    22: "Jensen-Shannon",
    23: "Jaccard",
    24: "NaN Euclidean",
    25: "gower",
}
"""FAISS's numbers for how distance is measured."""
_WIDEST = 65536
"""Dimensions; far more than any content encoder gives."""


@dataclass(frozen=True, slots=True)
class Layout:
    """An index, and those inside it that hold its vectors.

    Attributes:
        name: FAISS's name for its type.
        dimension: values a vector.
        vectors: how many it holds.
        trained: whether vectors can be added.
        metric: FAISS's number for how it measures distance.
        lists: inverted lists, if it has them.
        probes: how many of these a search looks into.
        inner: the indexes inside.
        strange: the type that could not be followed, if one could not: the rest of the file is not
            known, so it must not be loaded.
    """

    name: str
    dimension: int
    vectors: int
    trained: bool
    metric: int
    lists: int | None = None
    probes: int | None = None
    inner: tuple[Layout, ...] = ()
    strange: str = ""

    def __str__(self) -> str:
        inside = ", ".join(str(layout) for layout in self.inner)
        return f"{self.name}({inside})" if inside else self.name

    @property
    def sorted_by(self) -> Layout | None:
        """The part that has inverted lists, if one has."""
        if self.lists is not None:
            return self
        return next((found for part in self.inner if (found := part.sorted_by)), None)


class StrangeError(Exception):
    """An index inside is of a type that cannot be followed; the text is FAISS's name for it."""


@dataclass(slots=True)
class Draft:
    """An index whose header was read, on the way to its :class:`Layout`.

    Attributes:
        cursor: behind what was read so far.
        code: the four characters of its type.
        nested: reads the index that follows; its argument says whether the identifiers in there are
            used as places.
        placed: whether those of this one are.
    """

    cursor: Cursor
    code: str
    nested: Callable[[bool], Layout]
    placed: bool = False
    dimension: int = 0
    vectors: int = 0
    trained: bool = False
    metric: int = L2
    lists: int | None = None
    probes: int | None = None
    inner: list[Layout] = field(default_factory=list)

    def read_header(self) -> None:
        """What all indexes begin with."""
        dimension, vectors, _, _, trained, metric = self.cursor.take("iqqqBi")
        if metric > L2:
            self.cursor.take("f")
        if not 1 <= dimension <= _WIDEST:
            raise MalformedError(f"it says that its vectors have {dimension} dimensions")
        if vectors < 0 or trained > 1 or metric not in METRICS:
            raise MalformedError("the numbers in its header make no sense")
        self.dimension, self.vectors = dimension, vectors
        self.trained, self.metric = bool(trained), metric

    def codes(self, width: int) -> None:
        """Passes over the vectors, of ``width`` bytes each."""
        self.cursor.skip_array(1, "bytes of vectors", self.vectors * width)

    def holds(self, layout: Layout, dimension: int | None = None) -> None:
        """Notes an index inside, which must have as many vectors, as wide."""
        wide = self.dimension if dimension is None else dimension
        if (layout.vectors, layout.dimension) != (self.vectors, wide):
            raise MalformedError(
                f"the {layout.name} in it holds {layout.vectors} vectors of {layout.dimension} "
                f"dimensions where {self.vectors} of {wide} belong"
            )
        self.inner.append(layout)

    def layout(self, name: str, strange: str = "") -> Layout:
        """What was found."""
        return Layout(
            name,
            self.dimension,
            self.vectors,
            self.trained,
            self.metric,
            self.lists,
            self.probes,
            tuple(self.inner),
            strange,
        )
