"""``tools/neighbour_ties.py``: where rounding decides between two neighbours."""

from __future__ import annotations

import runpy
from pathlib import Path

import faiss
import numpy as np
import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "neighbour_ties.py"


@pytest.mark.parametrize(
    ("eighth", "ninth", "tied"),
    [(8, 9, False), (8, 8, True), (8, 8 + 1e-6, True), (9, 8, False)],
)
def test_eighth_and_ninth_neighbour_at_one_distance(
    tmp_path: Path, eighth: float, ninth: float, tied: bool
) -> None:
    """Frames at the crossing of two lines with vectors; the second block is elsewhere."""
    vectors = np.zeros((12, 2), np.float32)
    vectors[:, 0] = [1, 2, 3, 4, 5, 6, 7, 0, 0, 12, 12, 14]
    vectors[7], vectors[8] = (eighth, 0), (0, ninth)
    index = faiss.index_factory(2, "IVF1,Flat")
    index.train(vectors)
    index.add(vectors)
    faiss.write_index(index, str(tmp_path / "a.index"))
    blocks = [np.zeros((3, 2), np.float32), np.full((1, 2), [3.0, -1.0], np.float32)]
    found = runpy.run_path(str(TOOL))["tied_blocks"](tmp_path / "a.index", blocks)
    assert found.tolist() == [tied, False]
