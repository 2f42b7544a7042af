"""Workers of tests must find the tests' own works."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.experiments.store import Store


@pytest.fixture(autouse=True)
def _works_are_found_by_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started processes take over ``sys.path``."""
    monkeypatch.syspath_prepend(Path(__file__).parents[3])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")
