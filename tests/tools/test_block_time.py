"""``tools/block_time.py``: the shares of a block, and what it says of other files."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

TOOL: dict[str, Any] = runpy.run_path(
    str(Path(__file__).resolve().parents[2] / "tools" / "block_time.py")
)
REPORT = {
    "pipeline": "rvc",
    "block_ms": 200.0,
    "whole": {"median_ms": 110.0},
    "nodes": [
        {"name": "content", "median_ms": 60.0},
        {"name": "voice", "median_ms": 40.0},
        {"name": "pitch", "median_ms": 1.0},
    ],
}


def test_shares_add_up_to_the_whole_block() -> None:
    found = TOOL["shares"](REPORT)
    assert found == {"encoder": 0.3, "synthesizer": 0.2, "other": pytest.approx(0.05)}


def test_draws_a_picture(tmp_path: Path) -> None:
    report, picture = tmp_path / "rvc.json", tmp_path / "rvc.png"
    report.write_text(json.dumps(REPORT))
    assert TOOL["main"]([f"before={report}", str(report), "--out", str(picture)]) == 0
    assert picture.read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("text", ["{}", "no JSON", '{"nodes": 3}'])
def test_other_files_are_refused(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "other.json"
    report.write_text(text)
    with pytest.raises(SystemExit):
        TOOL["main"]([str(report), "--out", str(tmp_path / "x.png")])
    assert "is no report of `voicegraph bench --json`" in capsys.readouterr().err
