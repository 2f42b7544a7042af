"""Runs the numeric tests with the instructions of other processors, and with 1 and 2 threads.

    python tools/check.py numerics
    python tools/check.py numerics --runs plain/1,all/2

PyTorch's own kernels, oneDNN, MKL, OpenBLAS (numpy, scipy) and FAISS each choose instructions for
themselves. A processor is imitated only if all of them are held back together: oneDNN's limit, for
one, does not reach MKL's FFT. What this processor lacks is reported as not run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
VARIABLES = (
    "ATEN_CPU_CAPABILITY",
    "ONEDNN_MAX_CPU_ISA",
    "MKL_ENABLE_INSTRUCTIONS",
    "OPENBLAS_CORETYPE",
    "FAISS_OPT_LEVEL",
)
SETTINGS = {
    "plain": ("default", "SSE41", "SSE4_2", "Nehalem", "generic"),
    "avx2": ("avx2", "AVX2", "AVX2", "Haswell", "avx2"),
    "avx512": ("avx512", "AVX512_CORE", "AVX512", "SkylakeX", "avx512"),
    "all": None,
}
"""The values of ``VARIABLES``; ``all`` leaves every library free."""
THREADS = (1, 2)
RUNS = tuple(f"{setting}/{threads}" for setting in SETTINGS for threads in THREADS)


class Result(NamedTuple):
    """What one run gave: tests by outcome, and the largest share of a tolerance that was used."""

    run: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    worst: float = 0.0
    where: str = ""
    not_run: str = ""


def environment(run: str) -> dict[str, str]:
    """The variables of one run, such as ``avx2/1``, on top of this process's own."""
    setting, threads = run.split("/")
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    if (values := SETTINGS[setting]) is not None:
        kept |= dict(zip(VARIABLES, values, strict=True))
    counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
    return kept | counts | {"OMP_WAIT_POLICY": "passive"}  # waiting threads leave others their core


def lacks(run: str) -> str:
    """Why this processor cannot do a run; empty if it can."""
    code = "import torch; print(torch.backends.cpu.get_cpu_capability())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(run), capture_output=True, text=True
    )
    wanted = run.split("/")[0].upper()
    if wanted in ("PLAIN", "ALL") or done.stdout.strip() == wanted:
        return ""
    return f"this processor has no {wanted}"


def files() -> list[str]:
    """Every test file with a numeric test: collecting the others takes longer than these tests."""
    found = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(path) for path in found if "mark.numeric" in path.read_text(encoding="utf-8")]


def measure(run: str) -> Result:
    """Runs the tests once, in two processes of as many threads as asked."""
    if why := lacks(run):
        return Result(run, not_run=why)
    with tempfile.TemporaryDirectory(prefix="voicegraph-") as folder:
        record, report = Path(folder) / "record.jsonl", Path(folder) / "report.xml"
        command = [
            sys.executable, "-m", "pytest", "-q", "-m", "numeric and not slow and not benchmark",
            "-n", "2", f"--junitxml={report}", *files(),
        ]  # fmt: skip
        given = environment(run) | {"NUMERICS_RECORD": str(record)}
        done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
        if done.returncode:
            print(done.stdout[-8000:] + done.stderr[-2000:], flush=True)
        if not report.exists():
            return Result(run, failed=1, where="pytest did not run")
        return _result(run, report, record)


def _result(run: str, report: Path, record: Path) -> Result:
    suite = next(ElementTree.parse(report).iter("testsuite")).attrib
    total, skipped = int(suite["tests"]), int(suite["skipped"])
    failed = int(suite["failures"]) + int(suite["errors"])
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    used = [json.loads(line) for line in lines]
    worst = max(used, key=lambda entry: entry["used"], default={"used": 0.0, "test": ""})
    return Result(
        run, total - failed - skipped, failed, skipped, worst["used"], worst["test"].split(" ")[0]
    )


def table(results: Iterable[Result]) -> str:
    """One line a run; ``used`` is the largest difference, as a share of what is allowed."""
    lines = [f"{'setting':8} {'threads':>7} {'passed':>7} {'failed':>7} {'used':>6}  where"]
    for result in results:
        setting, threads = result.run.split("/")
        head = f"{setting:8} {threads:>7} "
        if result.not_run:
            lines.append(f"{head}not run: {result.not_run}")
        else:
            counts = f"{result.passed:>7} {result.failed:>7} {result.worst:>6.2f}"
            lines.append(f"{head}{counts}  {result.where}")
    return "\n".join(lines)


def numerics(runs: Iterable[str] = RUNS) -> int:
    """Measures every run and prints the table; 1 if a test failed, or none ran."""
    results = []
    for run in runs:
        print(f"{run} ...", flush=True)
        results.append(measure(run))
    print(table(results), flush=True)
    measured = [result for result in results if not result.not_run]
    if not measured or any(not result.passed for result in measured):
        print("no verdict: a run without any test that passed", flush=True)
        return 1
    if len(measured) < len(results):
        print(f"{len(measured)} of {len(results)} settings were measured", flush=True)
    return int(any(result.failed for result in measured))
