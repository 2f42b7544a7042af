"""``tools/wheels.py``: what it asks for, and that a missing wheel is found."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

TOOL = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools" / "wheels.py"))


def test_pins_and_their_needs_are_requested() -> None:
    needed = TOOL["needed"]()
    assert {"torch", "numpy", "pyworld-prebuilt", "sympy"} <= {r.partition("==")[0] for r in needed}
    assert all("==" in requirement for requirement in needed)


def test_packages_without_wheel_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolves(requirements: list[str], python: str, tags: tuple[str, ...]) -> bool:
        return "old==1" not in requirements

    without = TOOL["without_wheel"]
    monkeypatch.setitem(without.__globals__, "resolves", resolves)
    assert without(["new==2", "old==1"], "3.14", ("win_amd64",)) == ["old==1"]
    assert without(["new==2"], "3.14", ("win_amd64",)) == []
