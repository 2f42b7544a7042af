"""The ``python -m`` lines of docs/training.md start, by both names of the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import voicegraph

ROOT = Path(__file__).parents[2]
COMMANDS = ("make", "encoder", "evaluate", "speech_level")
RUN_EACH = """
import runpy, sys
for name in sys.argv[1:]:
    sys.argv = [name, "--help"]
    try:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        print(name, "ended with", end.code)
"""
"""In one process, since importing torch takes most of the time."""


def test_every_command_shows_its_help() -> None:
    names = [
        f"{package}.{name}" for name in COMMANDS for package in ("training", "voicegraph.training")
    ]
    parent = os.pathsep.join(str(Path(path).parent) for path in voicegraph.__path__)
    paths = os.pathsep.join(filter(None, (parent, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", RUN_EACH, *names],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    for name in COMMANDS:
        assert done.stdout.count(f"usage: python -m training.{name} ") == 2
    for name in names:
        assert f"{name} ended with 0" in done.stdout
