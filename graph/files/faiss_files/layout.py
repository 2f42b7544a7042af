"""The structure of a serialised FAISS index, from its headers."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Layout:
    """An index, with the one inside it.

    Attributes:
        name: FAISS's name of its type.
        dimension: values of a vector.
        vectors: number of vectors.
        trained: whether vectors can be added.
        metric: FAISS's number of the metric.
        lists: number of inverted lists, or None.
        probes: number of lists that a search visits.
        inner: the index inside an identifier map or behind a transform.
        unsupported: why its type is not read, or empty. The rest of such a file is not checked, so
            FAISS must not load it.
        gives_vectors: whether FAISS gives the vectors of an unsupported type back.
    """

    name: str
    dimension: int
    vectors: int
    trained: bool
    metric: int
    lists: int | None = None
    probes: int | None = None
    inner: Layout | None = None
    unsupported: str = ""
    gives_vectors: bool = True

    def __str__(self) -> str:
        return self.name if self.inner is None else f"{self.name}({self.inner})"

    @property
    def unusable(self) -> str:
        """Why retrieval cannot use an index of this type, or empty."""
        if self.unsupported:
            return f"retrieval does not take {self.unsupported}; `check` says how to convert it"
        if self.metric != L2:
            other, wanted = METRICS[self.metric], METRICS[L2]
            return f"it compares by {other}, retrieval by {wanted}; `check` says how to convert it"
        return ""

    @property
    def inverted_part(self) -> Layout | None:
        """The part with inverted lists, or None."""
        if self.lists is not None or self.inner is None:
            return self if self.lists is not None else None
        return self.inner.inverted_part


class UnsupportedError(Exception):
    """The type of an index, or of a part of it, is not read.

    Args:
        text: FAISS's name of it.
        gives_vectors: whether FAISS gives its vectors back.
    """

    def __init__(self, text: str, gives_vectors: bool = True) -> None:
        super().__init__(text)
        self.gives_vectors = gives_vectors
