"""Everything a change must pass, in one command.

python tools/check.py               format, lint, types, docs, tests
python tools/check.py --fix         mends what can be mended first
python tools/check.py lint types    only these
python tools/check.py numerics      the numeric tests with the instructions of other processors;
                                    takes longest, and runs only if it is named
python tools/check.py gpu           tests, parity, placement and benchmarks on a GPU, in under eight
                                    minutes; runs only if it is named; exit code 3 without a GPU
python tools/check.py fuzz --minutes 10
                                    mutated files for every reader; runs only if it is named
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

from gpu import NO_GPU, gpu
from link import link
from numerics import RUNS, numerics

ROOT = Path(__file__).resolve().parent.parent
FUZZED = (
    *("pickle", "zip", "safetensors", "export", "onnx", "index", "recording", "snapshot"),
    *("pipeline", "set", "sound"),
)
"""The readers in ``tools/fuzz/readers.py``."""
_MOST_MINUTES = 24 * 60
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


class Fuzzing(NamedTuple):
    """What the step fuzz runs."""

    minutes: float = 1.0
    seed: int = 1
    reader: str | None = None
    case: int | None = None


def _fuzz(given: Fuzzing) -> int:
    """Reads mutated files; 1 if anything but success or a refusal comes of one."""
    link(ROOT)
    sys.path.insert(0, str(ROOT / ".dev"))
    from fuzz.campaign import HEADING, Settings, again, figures, report, run
    from fuzz.readers import READERS

    if given.reader is not None and given.case is not None:
        return again(given.reader, given.seed, given.case)
    readers = [given.reader] if given.reader else list(READERS)
    settings = Settings(readers, given.seed, given.minutes)
    print(HEADING, flush=True)
    tallies = run(settings, tell=lambda tally: print(figures(tally), flush=True))
    print(report(tallies, given.seed) or "no findings", flush=True)
    return int(any(tally.findings for tally in tallies))


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
    "gpu": Step(
        "torch",
        gpu,
        "one section again: python tools/gpu.py --only SECTION",
    ),
    "fuzz": Step(
        "faiss",
        lambda: _fuzz(Fuzzing()),
        "mend what a finding names; each has a line that reads the same file again",
    ),
}
ONLY_IF_NAMED = {"numerics", "gpu", "fuzz"}


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps; 0 if all passed, 1 if any failed, 2 if a tool and 3 if a GPU is missing."""
    parser = argparse.ArgumentParser(description="Everything a change must pass.")
    usual = [name for name in STEPS if name not in ONLY_IF_NAMED]
    parser.add_argument(
        "steps", nargs="*", metavar="STEP", help=f"{', '.join(STEPS)}; {', '.join(usual)} if none"
    )
    parser.add_argument("--fix", action="store_true", help="first mend what ruff can mend")
    parser.add_argument(
        "--runs", metavar="RUN,...", help=f"of numerics, only these: {', '.join(RUNS)}"
    )
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FOLDER",
        help="of gpu: what tools/models.py wrote",
    )
    fuzzing = parser.add_argument_group("of fuzz")
    fuzzing.add_argument("--minutes", type=float, help="for all readers together (1)")
    fuzzing.add_argument("--seed", type=int, help="of the mutations (1)")
    fuzzing.add_argument("--reader", metavar="NAME", help="only this one")
    fuzzing.add_argument("--case", type=int, metavar="N", help="only this case of --reader")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.steps if name not in STEPS]:
        parser.error(f"no such step: {', '.join(unknown)}; there are: {', '.join(STEPS)}")
    if given.runs and "numerics" not in given.steps:
        parser.error(
            "--runs belongs to the step numerics: python tools/check.py numerics --runs ..."
        )
    if given.models is not None and "gpu" not in given.steps:
        parser.error("--models belongs to the step gpu: python tools/check.py gpu --models ...")
    runs = given.runs.split(",") if given.runs else list(RUNS)
    if unknown := [run for run in runs if run not in RUNS]:
        parser.error(f"no such run: {', '.join(unknown)}; there are: {', '.join(RUNS)}")
    fuzz = _fuzzing(parser, given)
    chosen = {name: STEPS[name] for name in given.steps or usual}
    if "numerics" in chosen:
        chosen["numerics"] = STEPS["numerics"]._replace(run=lambda: numerics(runs))
    if "gpu" in chosen:
        chosen["gpu"] = STEPS["gpu"]._replace(run=lambda: gpu(given.models))
    if "fuzz" in chosen:
        chosen["fuzz"] = STEPS["fuzz"]._replace(run=lambda: _fuzz(fuzz))
    missing = sorted({s.module for s in chosen.values() if find_spec(s.module) is None})
    if missing:
        print(f"{', '.join(missing)}: not installed here\n  fix: {INSTALL}", file=sys.stderr)
        return 2
    if given.fix:
        _tool("ruff", "check", "--fix", "--quiet", ".")
        _tool("ruff", "format", "--quiet", ".")
    return _report({name: _timed(name, step) for name, step in chosen.items()})


def _fuzzing(parser: argparse.ArgumentParser, given: argparse.Namespace) -> Fuzzing:
    """The options of fuzz, checked."""
    told = {name: getattr(given, name) for name in Fuzzing._fields}
    told = {name: value for name, value in told.items() if value is not None}
    if told and "fuzz" not in given.steps:
        parser.error(
            f"--{next(iter(told))} belongs to the step fuzz: python tools/check.py fuzz ..."
        )
    found = Fuzzing(**told)
    if not 0 < found.minutes <= _MOST_MINUTES:
        parser.error(f"--minutes {found.minutes:g}: more than 0, and at most {_MOST_MINUTES}")
    if found.reader is not None and found.reader not in FUZZED:
        parser.error(f"no such reader: {found.reader}; there are: {', '.join(FUZZED)}")
    if found.case is not None and (found.reader is None or found.case < 0):
        parser.error("--case needs --reader, and counts from 0")
    return found


def _timed(name: str, step: Step) -> int:
    print(f"--- {name}", flush=True)
    begun = time.perf_counter()
    code = step.run()
    outcome = "not run" if code == NO_GPU else "failed" if code else "ok"
    print(f"--- {name}: {outcome}, {time.perf_counter() - begun:.1f} s", flush=True)
    return code


def _report(codes: dict[str, int]) -> int:
    if codes.get("gpu") == NO_GPU:
        codes = {name: code for name, code in codes.items() if name != "gpu"}
        return _report(codes) or NO_GPU if codes else NO_GPU
    failed = [name for name, code in codes.items() if code]
    for name in failed:
        print(f"{name} failed\n  fix: {STEPS[name].fix}", file=sys.stderr)
    if not failed:
        print(f"passed: {', '.join(codes)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
