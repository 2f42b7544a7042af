"""Everything a change must pass, in one command.

python tools/check.py               format, lint, types, docs, tests
python tools/check.py --fix         mends what can be mended first
python tools/check.py lint types    only these
python tools/check.py numerics      the numeric tests with the instructions of other processors;
                                    takes longest, and runs only if it is named
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from link import link
from numerics import RUNS, numerics

ROOT = Path(__file__).resolve().parent.parent
INSTALL = 'python -m pip install -c constraints.txt -e ".[dev]"'


class Step(NamedTuple):
    """One check: the module it needs, how it runs, and what to type when it fails."""

    module: str
    run: Callable[[], int]
    fix: str


def _tool(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=False).returncode


def _types() -> int:
    """basedpyright, which is content when it finds no files at all; this is not."""
    link(ROOT)
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    print(done.stdout + done.stderr, end="")
    return done.returncode or int("No source files found" in done.stdout)


STEPS: dict[str, Step] = {
    "format": Step(
        "ruff",
        lambda: _tool("ruff", "format", "--check", "."),
        "python -m ruff format .",
    ),
    "lint": Step(
        "ruff",
        lambda: _tool("ruff", "check", "."),
        "python -m ruff check --fix .   and mend the rest by hand",
    ),
    "types": Step(
        "basedpyright",
        _types,
        "mend the types; one step again: python tools/check.py types",
    ),
    "docs": Step(
        "zensical",
        lambda: _tool("zensical", "build", "--strict", "--clean"),
        "mend the links and pages that it names; one step again: python tools/check.py docs",
    ),
    "tests": Step(
        "pytest",
        lambda: _tool("pytest", "-q"),
        "only what failed, with details: python -m pytest --lf -vv",
    ),
    "numerics": Step(
        "pytest",
        numerics,
        "tests/tolerance.py says what a tolerance may stand for",
    ),
}
ONLY_IF_NAMED = {"numerics"}


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps; 0 if all passed, 1 if any failed, 2 if a tool is missing."""
    parser = argparse.ArgumentParser(description="Everything a change must pass.")
    usual = [name for name in STEPS if name not in ONLY_IF_NAMED]
    parser.add_argument(
        "steps", nargs="*", metavar="STEP", help=f"{', '.join(STEPS)}; {', '.join(usual)} if none"
    )
    parser.add_argument("--fix", action="store_true", help="first mend what ruff can mend")
    parser.add_argument(
        "--runs", metavar="RUN,...", help=f"of numerics, only these: {', '.join(RUNS)}"
    )
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.steps if name not in STEPS]:
        parser.error(f"no such step: {', '.join(unknown)}; there are: {', '.join(STEPS)}")
    if given.runs and "numerics" not in given.steps:
        parser.error(
            "--runs belongs to the step numerics: python tools/check.py numerics --runs ..."
        )
    runs = given.runs.split(",") if given.runs else list(RUNS)
    if unknown := [run for run in runs if run not in RUNS]:
        parser.error(f"no such run: {', '.join(unknown)}; there are: {', '.join(RUNS)}")
    chosen = {name: STEPS[name] for name in given.steps or usual}
    if "numerics" in chosen:
        chosen["numerics"] = STEPS["numerics"]._replace(run=lambda: numerics(runs))
    missing = sorted({s.module for s in chosen.values() if find_spec(s.module) is None})
    if missing:
        print(f"{', '.join(missing)}: not installed here\n  fix: {INSTALL}", file=sys.stderr)
        return 2
    if given.fix:
        _tool("ruff", "check", "--fix", "--quiet", ".")
        _tool("ruff", "format", "--quiet", ".")
    return _report({name: _timed(name, step) for name, step in chosen.items()})


def _timed(name: str, step: Step) -> int:
    print(f"--- {name}", flush=True)
    begun = time.perf_counter()
    code = step.run()
    print(
        f"--- {name}: {'failed' if code else 'ok'}, {time.perf_counter() - begun:.1f} s", flush=True
    )
    return code


def _report(codes: dict[str, int]) -> int:
    failed = [name for name, code in codes.items() if code]
    for name in failed:
        print(f"{name} failed\n  fix: {STEPS[name].fix}", file=sys.stderr)
    if not failed:
        print(f"passed: {', '.join(codes)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
