"""``tools/reference_order.py``: ratios, agreement and exit codes; the baseline's own algebra."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

TOOLS = Path(__file__).resolve().parents[2] / "tools"
Main = Callable[[list[str]], int]


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(sys, "path", [str(TOOLS), *sys.path])
    return runpy.run_path(str(TOOLS / "reference_order.py"))


def _faked(tool: dict[str, Any], folder: Path, difference: float) -> Main:
    """The tool's main with a product that differs by so much."""
    for name in ("hubert_base.pt", "voice_v2_48k.pth"):
        (folder / name).touch()
    main: Any = tool["main"]
    zeros = torch.zeros(2)
    stages = dict.fromkeys(tool["STAGES"], (lambda: zeros, lambda: zeros + difference))
    main.__globals__["sides"] = lambda *_: stages
    return main


def test_sides_that_differ_are_an_error(
    tool: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = str(torch.get_num_threads())
    given = [str(tmp_path), "--rounds", "1", "--threads", threads]
    assert _faked(tool, tmp_path, 1e-5)(given) == 0
    assert _faked(tool, tmp_path, 2e-4)(given) == 1
    assert "encoder: differs by 2.0e-04, at most 1e-04" in capsys.readouterr().err
    assert _faked(tool, tmp_path, float("nan"))(given) == 1


def test_the_ratio_can_be_a_limit(tool: dict[str, Any], tmp_path: Path) -> None:
    main, report = _faked(tool, tmp_path, 0.0), tmp_path / "order.json"
    threads = str(torch.get_num_threads())
    given = [str(tmp_path), "--rounds", "2", "--threads", threads, "--json", str(report)]
    assert main([*given, "--within", "0"]) == 1
    stages = json.loads(report.read_text())["stages"]
    assert [stage["stage"] for stage in stages] == ["encoder", "synthesizer", "whole"]
    assert all(s["ratio"] == s["product"] / s["reference"] for s in stages)


def test_missing_models_are_named(
    tool: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        tool["main"]([str(tmp_path)])
    assert "fix: python tools/models.py" in capsys.readouterr().err


def test_matrices_of_relative_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Column d of row i is the distance d - 2: key i + d - 2."""
    network = runpy.run_path(str(TOOLS / "reference_network.py"))
    by_distance = torch.arange(15.0).view(1, 1, 3, 5)
    by_key = network["_absolute"](by_distance)
    assert by_key[0, 0].tolist() == [[2, 3, 4], [6, 7, 8], [10, 11, 12]]
    back = network["_relative"](by_key)[0, 0]
    assert back.tolist() == [[0, 0, 2, 3, 4], [0, 6, 7, 8, 0], [10, 11, 12, 0, 0]]
