"""Packages that nodes use are imported before the engine runs."""

from __future__ import annotations

import sys

import pytest

from voicegraph.graph.live import _preload


def test_preloading_takes_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_preload, "PACKAGES", ("no_such_package", "colorsys"))
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    _preload.preload_packages()
    assert "colorsys" in sys.modules
