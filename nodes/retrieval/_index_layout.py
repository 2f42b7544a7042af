"""The structure of a serialised FAISS index, from its headers."""

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
"""FAISS's numbers of the metrics."""
_WIDEST = 65536
"""Largest dimension; far more than any content encoder has."""
_LARGEST_BATCH = 1 << 16
_SWELLS = 16
"""Largest memory use of FAISS in bytes for each byte of the file,"""
_SPARE = 1 << 26
"""and bytes allowed for any file."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Why a valid index cannot be used.

    Attributes:
        text: FAISS's name of its type, and the reason; follows "an index of the type".
        fix: what to do.
    """

    text: str
    fix: str = "use the voice's added_*.index, or build one of type IVF,Flat"


@dataclass(frozen=True, slots=True)
class Layout:
    """An index, with the indexes inside it.

    Attributes:
        name: FAISS's name of its type.
        dimension: values of a vector.
        vectors: number of vectors.
        trained: whether vectors can be added.
        metric: FAISS's number of the metric.
        lists: number of inverted lists, or None.
        probes: number of lists that a search visits.
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
        """The part with inverted lists, or None."""
        if self.lists is not None:
            return self
        return next((found for part in self.inner if (found := part.inverted_part)), None)


class UnsupportedIndexError(Exception):
    """The type of an index, or of one inside it, cannot be used."""

    def __init__(self, unsupported: Unsupported) -> None:
        super().__init__(unsupported.text)
        self.unsupported = unsupported


@dataclass(slots=True)
class LayoutBuilder:
    """Collects the :class:`Layout` of an index while it is read.

    Attributes:
        cursor: the reading position.
        code: the four-character type code.
        name: FAISS's name of the type.
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
        """Reads the common header of all indexes."""
        dimension, vectors, _, _, trained, metric = self.cursor.take("iqqqBi")
        if metric > L2:
            self.cursor.take("f")
        self.set_header(dimension, vectors, trained, metric)

    def set_header(self, dimension: int, vectors: int, trained: int, metric: int) -> None:
        """Checks and stores the values of a header."""
        if not 1 <= dimension <= _WIDEST:
            raise MalformedError(f"it says that its vectors have {dimension} dimensions")
        if vectors < 0 or trained > 1 or metric not in METRICS:
            raise MalformedError("the numbers in its header make no sense")
        self.dimension, self.vectors = dimension, vectors
        self.trained, self.metric = bool(trained), metric

    def codes(self, width: int) -> None:
        """Skips the vectors, of ``width`` bytes each."""
        self.cursor.skip_array(1, "bytes of vectors", self.vectors * width)

    def centre(self) -> None:
        """Skips the centre of the vectors."""
        expected = self.dimension if self.trained else None
        self.cursor.skip_array(4, "values of a centre", expected)

    def check_levels(self, levels: int, batch: int) -> None:
        """Checks and stores the number of levels and the batch size of a Panorama index."""
        if not 1 <= levels <= self.dimension or not 1 <= batch <= _LARGEST_BATCH:
            raise MalformedError(f"its vectors are cut into {levels} levels, {batch} side by side")
        self.levels, self.batch = levels, batch

    def check_memory(self, nbytes: int, what: str) -> None:
        """Checks that FAISS's memory use is in proportion to the size of the file."""
        if nbytes > _SPARE + _SWELLS * self.cursor.size:
            raise MalformedError(
                f"its {what} would take {nbytes / 1e9:.3g} GB of memory, far more than the file"
            )

    def add_inner(self, layout: Layout, dimension: int | None = None) -> None:
        """Adds an inner index, which must have the same number of vectors and dimension."""
        wide = self.dimension if dimension is None else dimension
        if (layout.vectors, layout.dimension) != (self.vectors, wide):
            raise MalformedError(
                f"the {layout.name} in it holds {layout.vectors} vectors of {layout.dimension} "
                f"dimensions where {self.vectors} of {wide} belong"
            )
        self.inner.append(layout)

    def layout(self, unsupported: Unsupported | None = None) -> Layout:
        """The finished layout."""
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
