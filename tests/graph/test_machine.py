"""Facts about the machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from voicegraph.graph import machine as machine


def test_machine_has_a_name_and_cores() -> None:
    assert machine.cpu_model().strip()
    assert 1 <= machine.cores() <= (os.cpu_count() or 1)
    assert machine.system()


def test_resident_memory_follows_what_is_used() -> None:
    before = machine.resident_bytes()
    if before is None:
        pytest.skip("this system does not tell")
    held = np.ones(30_000_000)  # 240 MB, touched
    after = machine.resident_bytes()
    assert after is not None
    assert after - before > 0.8 * held.nbytes


@pytest.mark.skipif(sys.platform != "linux", reason="where Linux keeps its facts")
def test_silent_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_text", lambda _: "")
    assert machine.cpu_model()
    assert machine.resident_bytes() is None
    monkeypatch.undo()
    assert machine._text(tmp_path / "missing") == ""


def test_missing_program_says_nothing() -> None:
    assert machine._output("voicegraph-no-such-program") == ""
