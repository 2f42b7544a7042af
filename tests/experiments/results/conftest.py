"""Runs that are made up once."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.experiments.compiled import Contrast
from voicegraph.experiments.results.run import Run
from voicegraph.experiments.results.write_run import write_run
from voicegraph.experiments.store import Store

from .synthetic import Synthetic


def make_run(folder: Path, made: Synthetic | None = None, **options: object) -> Run:
    """A run with its store in a folder."""
    made = made or Synthetic(contrasts=(Contrast("tracker", "dio", ("noise",), {}),))
    store = Store(folder / "store")
    compiled = made.fill(made.compiled(), store)
    return write_run(compiled, [], store, folder / "run", format="csv", **options)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run; tests must not change it."""
    return make_run(tmp_path_factory.mktemp("run"))
