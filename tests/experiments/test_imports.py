"""What reads results and descriptions only starts without torch, which takes seconds to load."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "modules",
    [
        "metric, registry, store, store.collection",
        "observers, metrics, conditions, work.files, work.code_identity",
        "results.run, report.write_report, listening.listening_test",
    ],
)
def test_torch_is_not_loaded(modules: str) -> None:
    names = ", ".join(f"voicegraph.experiments.{name}" for name in modules.split(", "))
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
