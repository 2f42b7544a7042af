"""The parts of an index that encode vectors or turn them round: what they take in a file."""

from __future__ import annotations

import numpy as np

from .cursor import Cursor, MalformedError
from .layout import Draft, StrangeError

_SCALAR_BITS = {0: 8, 1: 4, 2: 8, 3: 4, 4: 16, 5: 8, 6: 6, 7: 16, 8: 8}
"""Bits a value by FAISS's number of the scalar type."""
_UNIFORM = (2, 3)
"""Scalar types with one range for all dimensions; 0, 1 and 6 have one each, the others none."""
_RANGES = (0, 1, 6)
_MOST_BITS = 16
"""Of a product quantizer: FAISS encodes up to 16 bits a part."""


def scalar_quantizer(draft: Draft) -> int:
    """Passes over a scalar quantizer; the bytes of a vector."""
    kind, _, _, dimension, width = draft.cursor.take("iifQQ")
    if kind not in _SCALAR_BITS:
        raise StrangeError(f"scalar quantizer of type {kind}")
    if dimension != draft.dimension or width != (dimension * _SCALAR_BITS[kind] + 7) // 8:
        raise MalformedError(
            f"its scalar quantizer has {width} bytes for {dimension} dimensions, which does not "
            f"fit vectors of {draft.dimension}"
        )
    ranges = 2 if kind in _UNIFORM else 2 * dimension if kind in _RANGES else 0
    draft.cursor.skip_array(4, "ranges of values", ranges if draft.trained else None)
    return width


def product_quantizer(draft: Draft) -> int:
    """Passes over a product quantizer; the bytes of a vector."""
    dimension, parts, bits = draft.cursor.take("QQQ")
    if dimension != draft.dimension or not 1 <= parts <= dimension or dimension % parts:
        raise MalformedError(
            f"its product quantizer has {parts} parts of {dimension} dimensions, which does not "
            f"fit vectors of {draft.dimension}"
        )
    if not 1 <= bits <= _MOST_BITS:
        raise MalformedError(f"its product quantizer has {bits} bits a part")
    draft.cursor.skip_array(4, "values of centroids", dimension << bits)
    return (parts * bits + 7) // 8


def transform(cursor: Cursor) -> tuple[int, int]:
    """Passes over a transform of vectors; its dimensions on the way in and out."""
    code = cursor.code()
    matrix = mapped = mean = None
    biased = bias = 0
    if code in ("PcAm", "Pcam"):
        cursor.take("fBi" if code == "PcAm" else "ffBi")
        for what in ("mean", "eigenvalues", "principal components"):
            cursor.skip_array(4, f"values of {what}")
    if code in ("LTra", "rrot", "PcAm", "Pcam"):
        (biased,) = cursor.take("B")
        matrix = cursor.skip_array(4, "values of a matrix")
        bias = cursor.skip_array(4, "values of a bias")
    elif code == "RmDT":
        mapped = cursor.array("<i4", "dimensions of a map")
    elif code == "VNrm":
        cursor.take("f")
    elif code == "VCnt":
        mean = cursor.skip_array(4, "values of a mean")
    else:
        raise StrangeError(f"IndexPreTransform by {code!r}")
    wide_in, wide_out, trained = cursor.take("iiB")
    if not trained:
        return wide_in, wide_out  # nothing is in it yet; FAISS refuses to use it
    sound = wide_in > 0 and wide_out > 0
    if matrix is not None:
        sound &= matrix == wide_in * wide_out and (not biased or bias == wide_out)
    elif mapped is not None:
        sound &= mapped.size == wide_out
        sound &= bool(((mapped >= -1) & (mapped < wide_in)).all())
    else:
        sound &= wide_in == wide_out and mean in (None, wide_in)
    if not sound:
        raise MalformedError(f"what turns its vectors does not fit itself ({code})")
    return wide_in, wide_out


def hnsw_graph(draft: Draft) -> None:
    """Reads a graph of neighbours, whose links must all lead somewhere.

    FAISS follows them unchecked.
    """
    cursor = draft.cursor
    cursor.skip_array(8, "probabilities of levels")
    sizes = cursor.array("<i4", "sizes of levels").astype(np.int64)
    levels = cursor.array("<i4", "levels")
    offsets = cursor.array("<u8", "places of links").astype(np.int64)
    links = cursor.array("<i4", "links")
    entry, top, _, effort, _ = cursor.take("iiiii")
    if len(levels) != draft.vectors or len(offsets) != draft.vectors + 1:
        raise MalformedError(f"its graph has {len(levels)} nodes for {draft.vectors} vectors")
    if not draft.vectors:
        return
    sound = 1 <= effort <= 1 << 20 and 0 <= entry < draft.vectors
    sound = sound and levels.min() >= 1 and levels.max() < len(sizes) and 0 <= top < levels[entry]
    sound = sound and sizes[0] == 0 and (np.diff(sizes) >= 0).all()
    sound = sound and offsets[0] == 0 and offsets[-1] == len(links)
    sound = sound and np.array_equal(np.diff(offsets), sizes[levels])
    sound = sound and links.min(initial=-1) >= -1 and links.max(initial=-1) < draft.vectors
    if not sound or not _levels_hold(sizes, levels, offsets, links):
        raise MalformedError("its graph of neighbours does not hold together")


def _levels_hold(
    sizes: np.ndarray, levels: np.ndarray, offsets: np.ndarray, links: np.ndarray
) -> bool:
    """Whether a link on a level leads to a node that is on this level, too."""
    for level in range(1, int(levels.max())):
        nodes = np.flatnonzero(levels > level)
        slots = offsets[nodes, None] + np.arange(sizes[level], sizes[level + 1])
        found = links[slots]
        if (levels[found[found >= 0]] <= level).any():
            return False
    return True
