"""Indexes for tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
import pytest

from voicegraph.nodes.retrieval._faiss_example import vectors

Build = Callable[..., Path]


@pytest.fixture
def build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Build:
    """``build(type, name, ...)``: the file of an index of 300 vectors, by FAISS's name of the type.

    Identifiers, where it has them, have gaps; ``state`` is ``untrained``, ``trained`` or
    ``filled``.
    """

    def made(
        kind: str,
        name: str = "some.index",
        dimension: int = 16,
        metric: int = faiss.METRIC_L2,
        state: str = "filled",
        probes: int | None = None,
    ) -> Path:
        index = faiss.index_factory(dimension, kind, metric)
        stored = vectors(300, dimension)
        if state != "untrained":
            index.train(stored)
        if state == "filled" and "IDMap" in kind:
            index.add_with_ids(stored, 10_000 + 3 * np.arange(len(stored)))
        elif state == "filled":
            index.add(stored)
        if probes is not None:
            faiss.extract_index_ivf(index).nprobe = probes
        faiss.write_index(index, str(tmp_path / name))
        capfd.readouterr()  # FAISS finds 300 vectors few
        return tmp_path / name

    return made


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Path]:
    """The folder of the files, entered, so that messages name them alone."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)
