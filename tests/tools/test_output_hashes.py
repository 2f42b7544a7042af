"""``tools/output_hashes.py``: finds what differs, and gives no verdict over nothing."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

TOOL = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools" / "output_hashes.py"))


def test_samples_decide_not_the_file(tmp_path: Path) -> None:
    samples = np.linspace(-0.5, 0.5, 480, dtype=np.float32)
    soundfile.write(tmp_path / "a.wav", samples, 48000, "FLOAT")
    soundfile.write(tmp_path / "b.caf", samples, 48000, "FLOAT")
    assert TOOL["hash_file"](tmp_path / "a.wav") == TOOL["hash_file"](tmp_path / "b.caf")


def test_one_bit_and_the_shape_count() -> None:
    samples = np.zeros((2, 3), np.float32)
    other = samples.copy()
    other[1, 2] = np.nextafter(np.float32(0), np.float32(1))
    hashes = {TOOL["hash_samples"](values) for values in (samples, other, samples.T)}
    assert len(hashes) == 3


def test_differences_and_missing_outputs_are_listed() -> None:
    compare = TOOL["compare"]
    assert compare({"a": "1", "b": "2"}, {"a": "1", "b": "2"}) == []
    assert compare({"a": "1", "b": "2"}, {"a": "1", "b": "3"}) == ["b: 2 -> 3"]
    assert compare({"a": "1"}, {"a": "1", "c": "4"}) == ["c: missing -> 4"]


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        TOOL["compare"]({}, {"a": "1"})


@pytest.mark.parametrize("option", ["--against", "--on"])
def test_missing_files_are_named_before_anything_runs(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["output_hashes.py", "--work", str(tmp_path / "work"), "a.json", option, "nowhere"]
    monkeypatch.setattr(sys, "argv", given)
    with pytest.raises(SystemExit):
        TOOL["main"]()
    assert f"{option}: there is no file nowhere" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()
