"""``tools/window_cost.py``: the worst pair of lengths, and instruction sets that are missing."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(TOOLS))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return runpy.run_path(str(TOOLS / "window_cost.py"))


def test_the_worst_pair_is_a_shorter_window_against_any_longer_one(tool: dict[str, Any]) -> None:
    assert tool["worst"]({0.3: 9.0, 0.5: 5.0, 1.0: 6.0, 2.0: 12.0}) == (1.8, 0.3, 0.5)
    lines = tool["table"]({"AVX2": {"decoder": {0.3: 9.0, 0.5: 5.0}}})
    assert "AVX2, decoder: at most 1.80 (0.3 s to 0.5 s)   above 1.15" in lines


def test_every_layer_runs_at_every_length(tool: dict[str, Any]) -> None:
    with torch.inference_mode():
        calls = tool["layers"]()["positional convolution"]()
    found = tool["measured"]({s: calls[s] for s in (0.3, 0.5)}, rounds=1)
    assert list(found) == [0.3, 0.5]
    assert min(found.values()) > 0


def test_a_missing_instruction_set_gives_no_verdict(
    tool: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert tool["main"](["--isa", "AVX512_CORE_AMX"]) == 1
    said = capsys.readouterr()
    assert "AVX512_CORE_AMX: not run: this processor has no amx_tile" in said.out
    assert "no verdict: nothing was measured" in said.err
