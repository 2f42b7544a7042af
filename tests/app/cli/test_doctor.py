"""``voicegraph doctor``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voicegraph.app.diagnostics import doctor
from voicegraph.app.diagnostics.packages import Need
from voicegraph.schemas.report import DoctorReport

Cli = Callable[..., tuple[int, str, str]]


def test_summary_lists_components(cli: Cli) -> None:
    code, out, err = cli("doctor")
    assert (code, err) == (0, "")
    for word in ("voicegraph", "python", "torch", "pyworld", "libsndfile", "cuda", "WAV"):
        assert word in out
    assert out.endswith("Everything that is required works.\n")


def test_json_is_a_doctor_report(cli: Cli) -> None:
    code, out, _ = cli("doctor", "--json")
    assert code == 0
    assert DoctorReport.model_validate_json(out).ok


def test_broken_requirement_is_exit_code_1(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor._import_error

    def error(need: Need) -> str | None:
        return "not installed" if need.module in ("soxr", "matplotlib") else real(need)

    monkeypatch.setattr(doctor, "_import_error", error)
    code, out, _ = cli("doctor")
    assert code == 1
    assert "BROKEN: resampling: not installed\n    fix: " in out
    assert "missing: pictures of the demo and of voices: not installed\n    fix: " in out
    assert out.endswith("Broken: soxr. Run the commands after `fix`.\n")
    assert cli("doctor", "--json")[0] == 1
