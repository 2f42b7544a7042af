"""Small indexes that resemble real ones: vectors in clumps, several of which touch."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from voicegraph.training.index.source import IndexSource

DIMENSION = 16


def clumps(count: int, seed: int = 1, dimension: int = DIMENSION) -> np.ndarray:
    """Vectors around 40 centres, float32 ``[count, dimension]``."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((40, dimension))
    made = centres[random.integers(0, 40, count)] + 0.4 * random.standard_normal((count, dimension))
    return made.astype(np.float32)


@pytest.fixture
def features(tmp_path: Path) -> Path:
    """A file with 1,200 vectors."""
    np.save(tmp_path / "features.npy", clumps(1200))
    return tmp_path / "features.npy"


@pytest.fixture
def rvc_index(tmp_path: Path) -> Path:
    """The file of an index of 1,200 vectors in 30 lists, one of which is searched."""
    index = faiss.index_factory(DIMENSION, "IVF30,Flat")
    index.train(clumps(1200))
    index.add(clumps(1200))
    faiss.write_index(index, str(tmp_path / "rvc.index"))
    return tmp_path / "rvc.index"


@pytest.fixture
def source(rvc_index: Path) -> IndexSource:
    """The same, opened."""
    return IndexSource(rvc_index)
