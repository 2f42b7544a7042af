"""``tools/check.py``: passes what is sound, fails what is not, and says what to type."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small tree with the real settings and tools."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def _check(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(clone / "tools" / "check.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_sound_code_passes(clone: Path) -> None:
    done = _check(clone, "format", "lint")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed: format, lint" in done.stdout


def test_failure_says_what_to_type(clone: Path) -> None:
    (clone / "bad.py").write_text('"""Bad."""\nimport os,sys\n', encoding="utf-8")
    done = _check(clone, "format", "lint")
    assert done.returncode == 1
    assert "format failed\n  fix: python -m ruff format ." in done.stderr
    assert "lint failed\n  fix: python -m ruff check --fix ." in done.stderr


def test_fix_mends_what_can_be_mended(clone: Path) -> None:
    (clone / "bad.py").write_text('"""Bad."""\nimport sys\nsys.exit( 0 )\n', encoding="utf-8")
    done = _check(clone, "--fix", "format", "lint")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sys.exit(0)" in (clone / "bad.py").read_text(encoding="utf-8")


def test_wrong_types_fail(clone: Path) -> None:
    (clone / "bad.py").write_text('"""Bad."""\n\nwrong: int = "text"\n', encoding="utf-8")
    done = _check(clone, "types")
    assert done.returncode == 1
    assert "bad.py:3" in done.stdout
    assert "types failed" in done.stderr


def test_unknown_step_is_named(clone: Path) -> None:
    done = _check(clone, "speling")
    assert done.returncode == 2
    assert "no such step: speling; there are: format, lint, types, docs, tests" in done.stderr


def test_runs_belong_to_numerics(clone: Path) -> None:
    done = _check(clone, "lint", "--runs", "plain/1")
    assert done.returncode == 2
    assert "--runs belongs to the step numerics" in done.stderr
