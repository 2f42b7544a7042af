"""Small indexes, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import faiss

DIMENSION = 8
VECTORS = 200


def vectors(count: int = VECTORS, dimension: int = DIMENSION, seed: int = 1) -> np.ndarray:
    """Random vectors ``[count, dimension]`` float32."""
    return np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)


def with_lists(stored: np.ndarray, lists: int, probes: int = 1) -> faiss.IndexIVFFlat:
    """The vectors sorted into inverted lists, round the first of them."""
    import faiss

    coarse = faiss.IndexFlatL2(stored.shape[1])
    index = faiss.IndexIVFFlat(coarse, stored.shape[1], lists)
    coarse.add(stored[:lists])
    index.is_trained = True
    index.nprobe = probes
    index.add(stored)
    return index


def write(folder: Path) -> None:
    """``flat.index`` and ``lists.index``."""
    import faiss

    stored = vectors()
    flat = faiss.IndexFlatL2(DIMENSION)
    flat.add(stored)
    faiss.write_index(flat, str(folder / "flat.index"))
    faiss.write_index(with_lists(stored, 16), str(folder / "lists.index"))
