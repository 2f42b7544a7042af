"""``tools/numerics.py``: matched settings, what a processor lacks, and the table."""

from __future__ import annotations

import json
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def tool() -> dict[str, Any]:
    return runpy.run_path(str(TOOLS / "numerics.py"))


def test_every_library_is_held_back_together(tool: dict[str, Any]) -> None:
    plain, every = tool["environment"]("plain/2"), tool["environment"]("all/1")
    assert set(tool["VARIABLES"]) <= plain.keys()
    assert not set(tool["VARIABLES"]) & every.keys()
    assert (plain["OMP_NUM_THREADS"], every["MKL_NUM_THREADS"]) == ("2", "1")


@pytest.mark.parametrize(
    ("run", "lacks"),
    [
        ("avx512/1", "this processor has no AVX512"),
        ("avx2/2", ""),
        ("plain/1", ""),
        ("all/1", ""),
    ],
)
def test_a_setting_that_the_processor_lacks(
    run: str, lacks: str, tool: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.CompletedProcess([], 0, stdout="AVX2\n", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert tool["lacks"](run) == lacks


def test_marked_files_are_found(tool: dict[str, Any]) -> None:
    found = {Path(path).name for path in tool["files"]()}
    assert {"test_resample.py", "test_rmvpe.py", "test_parity.py"} <= found
    assert "test_check.py" not in found


def test_counts_and_the_worst_share(tool: dict[str, Any], tmp_path: Path) -> None:
    report, record = tmp_path / "report.xml", tmp_path / "record.jsonl"
    report.write_text(
        '<testsuites><testsuite tests="9" failures="1" errors="1" skipped="2"/></testsuites>'
    )
    entries = [{"test": f"tests/a.py::test_{used} (call)", "used": used} for used in (0.2, 0.7)]
    record.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    found = tool["_result"]("plain/1", report, record)
    assert found[:5] == ("plain/1", 5, 2, 2, 0.7)
    assert found.where == "tests/a.py::test_0.7"


def test_table_says_what_was_not_run(tool: dict[str, Any]) -> None:
    results = [
        tool["Result"]("plain/1", 5, 0, 2, 0.7, "tests/a.py::test_b"),
        tool["Result"]("avx512/2", not_run="this processor has no AVX512"),
    ]
    assert tool["table"](results).splitlines() == [
        "setting  threads  passed  failed   used  where",
        "plain          1       5       0   0.70  tests/a.py::test_b",
        "avx512         2 not run: this processor has no AVX512",
    ]


@pytest.mark.parametrize(
    ("counts", "code", "said"),
    [
        ([], 1, "no verdict"),
        ([(0, 0)], 1, "no verdict"),
        ([(5, 0), None], 0, "1 of 2 settings were measured"),
        ([None], 1, "no verdict"),
        ([(5, 1)], 1, "failed"),
        ([(5, 0)], 0, "passed"),
    ],
)
def test_no_verdict_over_nothing(
    counts: list[tuple[int, int] | None],
    code: int,
    said: str,
    tool: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    numerics, result = tool["numerics"], tool["Result"]
    made = iter(
        result("plain/1", *counted) if counted else result("avx512/1", not_run="no AVX512")
        for counted in counts
    )
    numerics.__globals__["measure"] = lambda run: next(made)
    assert numerics("plain/1" for _ in counts) == code
    assert said in capsys.readouterr().out
