"""Imports beside a running engine: paced on their own thread, no others."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from voicegraph.graph.live import _preload
from voicegraph.graph.live._paced_imports import paced_imports


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with two modules that nobody has imported."""
    folder = tmp_path / "paced_example"
    folder.mkdir()
    (folder / "__init__.py").write_text("from . import one, two")
    (folder / "one.py").write_text("")
    (folder / "two.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("paced_example", "paced_example.one", "paced_example.two"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return folder.name


def test_a_pause_precedes_every_module(package: str) -> None:
    pauses: list[float] = []
    finders = list(sys.meta_path)
    with paced_imports(pauses.append):
        __import__(package)
    assert len(pauses) == 3
    assert all(seconds >= 0 for seconds in pauses)
    assert sys.meta_path == finders


def test_imports_of_other_threads_do_not_pause(package: str) -> None:
    pauses: list[float] = []
    with paced_imports(pauses.append):
        other = threading.Thread(target=__import__, args=(package,))
        other.start()
        other.join()
    assert pauses == []
    assert f"{package}.two" in sys.modules


def test_preloading_takes_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_preload, "PACKAGES", ("no_such_package", "colorsys"))
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    _preload.preload_packages()
    assert "colorsys" in sys.modules
