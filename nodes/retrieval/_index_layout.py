"""What a serialised FAISS index consists of, as its headers say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ._cursor import Cursor, MalformedError

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
_LARGEST_BATCH = 1 << 16
_SWELLS = 16
"""Bytes of memory for a byte of the file, at most,"""
_SPARE = 1 << 26
"""and bytes that any file may cost."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A sound index that cannot serve.

    Attributes:
        text: FAISS's name for its type, and what is the matter; follows "an index of the type".
        fix: what to do.
    """

    text: str
    fix: str = "use the voice's added_*.index, or build one of type IVF,Flat"


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
        unsupported: why its type cannot be used, or None. The rest of such a file is not checked,
            so FAISS must not load it.
    """

    name: str
    dimension: int
    vectors: int
    trained: bool
    metric: int
    lists: int | None = None
    probes: int | None = None
    inner: tuple[Layout, ...] = ()
    unsupported: Unsupported | None = None

    def __str__(self) -> str:
        inside = ", ".join(str(layout) for layout in self.inner)
        return f"{self.name}({inside})" if inside else self.name

    @property
    def inverted_part(self) -> Layout | None:
        """The part that has inverted lists, if one has."""
        if self.lists is not None:
            return self
        return next((found for part in self.inner if (found := part.inverted_part)), None)


class UnsupportedIndexError(Exception):
    """An index, or one inside it, cannot be followed."""

    def __init__(self, unsupported: Unsupported) -> None:
        super().__init__(unsupported.text)
        self.unsupported = unsupported


@dataclass(slots=True)
class LayoutBuilder:
    """An index whose header was read, on the way to its :class:`Layout`.

    Attributes:
        cursor: behind what was read so far.
        code: the four characters of its type.
        name: FAISS's name for it.
        nested: reads the index that follows; its argument says whether the identifiers in there are
            used as places.
        ids_are_positions: whether those of this one are.
        levels: into how many stretches its vectors are cut, and
        batch: how many of these lie side by side.
        links: where a list and a place in it stand for each vector, or for each identifier:
            ``[..]`` uint64.
    """

    cursor: Cursor
    code: str
    name: str
    nested: Callable[[bool], Layout]
    ids_are_positions: bool = False
    dimension: int = 0
    vectors: int = 0
    trained: bool = False
    metric: int = L2
    lists: int | None = None
    probes: int | None = None
    levels: int = 1
    batch: int = 1
    inner: list[Layout] = field(default_factory=list)
    links: np.ndarray | None = None

    def read_header(self) -> None:
        """What all indexes begin with."""
        dimension, vectors, _, _, trained, metric = self.cursor.take("iqqqBi")
        if metric > L2:
            self.cursor.take("f")
        self.set_header(dimension, vectors, trained, metric)

    def set_header(self, dimension: int, vectors: int, trained: int, metric: int) -> None:
        """Takes what a header says, if that makes sense."""
        if not 1 <= dimension <= _WIDEST:
            raise MalformedError(f"it says that its vectors have {dimension} dimensions")
        if vectors < 0 or trained > 1 or metric not in METRICS:
            raise MalformedError("the numbers in its header make no sense")
        self.dimension, self.vectors = dimension, vectors
        self.trained, self.metric = bool(trained), metric

    def codes(self, width: int) -> None:
        """Passes over the vectors, of ``width`` bytes each."""
        self.cursor.skip_array(1, "bytes of vectors", self.vectors * width)

    def centre(self) -> None:
        """Passes over the vector around which the others are."""
        expected = self.dimension if self.trained else None
        self.cursor.skip_array(4, "values of a centre", expected)

    def check_levels(self, levels: int, batch: int) -> None:
        """Takes into how many levels vectors are cut, and how many vectors lie side by side."""
        if not 1 <= levels <= self.dimension or not 1 <= batch <= _LARGEST_BATCH:
            raise MalformedError(f"its vectors are cut into {levels} levels, {batch} side by side")
        self.levels, self.batch = levels, batch

    def check_memory(self, nbytes: int, what: str) -> None:
        """Checks that FAISS, to use the file, takes no memory out of proportion to it."""
        if nbytes > _SPARE + _SWELLS * self.cursor.size:
            raise MalformedError(
                f"its {what} would take {nbytes / 1e9:.3g} GB of memory, far more than the file"
            )

    def add_inner(self, layout: Layout, dimension: int | None = None) -> None:
        """Notes an index inside, which must have as many vectors, as wide."""
        wide = self.dimension if dimension is None else dimension
        if (layout.vectors, layout.dimension) != (self.vectors, wide):
            raise MalformedError(
                f"the {layout.name} in it holds {layout.vectors} vectors of {layout.dimension} "
                f"dimensions where {self.vectors} of {wide} belong"
            )
        self.inner.append(layout)

    def layout(self, unsupported: Unsupported | None = None) -> Layout:
        """What was found."""
        return Layout(
            self.name,
            self.dimension,
            self.vectors,
            self.trained,
            self.metric,
            self.lists,
            self.probes,
            tuple(self.inner),
            unsupported,
        )
