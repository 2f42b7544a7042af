"""``tests/tolerance.py``: what passes, what fails, and what a failure says."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from .tolerance import (
    INAUDIBLE,
    SAMPLES,
    Tolerance,
    assert_close,
    assert_rounded,
    assert_snr,
    rounding,
)


def test_failure_names_place_amount_and_reason() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_close([[0.0, 1.0], [0.5, 0.0]], [[0.0, 1.0], [0.0, 0.0]], INAUDIBLE)
    assert str(failure.value) == (
        "1 of 4 values differ by more than sound that differs by -96 dB of full scale: "
        "at (1, 0) 0.5, expected 0, differs by 0.5, allowed 1.58e-05"
    )


def test_shares_of_a_tolerance_add_up() -> None:
    tolerance = Tolerance("a sum", absolute=0.1, relative=0.01, of_peak=0.001)
    assert tolerance.allowed(np.array([-100.0, 0.0])).tolist() == pytest.approx([1.2, 0.2])


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_what_is_not_finite_differs(wrong: float) -> None:
    with pytest.raises(AssertionError, match="differs by"):
        assert_close([0.0, wrong], [0.0, 0.0], SAMPLES)


def test_missing_where_expected_is_close() -> None:
    assert_close([math.nan, 1.0], [math.nan, 1.0], SAMPLES)


def test_another_shape_fails() -> None:
    with pytest.raises(AssertionError, match=r"shape \(2,\), expected \(1,\)"):
        assert_close([0.0, 0.0], [0.0], SAMPLES)


def test_used_share_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERICS_RECORD", str(tmp_path / "record"))
    assert_close(torch.tensor([2.5]), [2.0], Tolerance("one", absolute=1.0))
    (line,) = (tmp_path / "record").read_text().splitlines()
    entry = json.loads(line)
    assert entry["used"] == 0.5
    assert "test_used_share_is_recorded" in entry["test"]


def test_float32_sums_stay_within_rounding() -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.randn(256, 256, generator=generator) for _ in range(2))
    exact = x.double() @ y.double()
    assert_close(x @ y, exact, rounding(256))
    assert_close((x.T.contiguous().T @ y.flip(0).flip(0)), exact, rounding(256))
    with pytest.raises(AssertionError, match="float32 sums of 256 terms"):
        assert_close(x.bfloat16() @ y.bfloat16(), exact, rounding(256))


def test_signal_to_noise_ratio_is_in_decibels() -> None:

    assert_snr([1.1], [1.0], 19.9, "a tenth")
    with pytest.raises(AssertionError, match=r"20\.0 dB above the difference, at least 20\.1: a"):
        assert_snr([1.1], [1.0], 20.1, "a tenth")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_one_rounding_is_within_one_rounding(dtype: torch.dtype) -> None:
    x = torch.randn(1000, generator=torch.Generator().manual_seed(1))
    assert_rounded(x.to(dtype), x, dtype, 1)
    with pytest.raises(AssertionError, match="1 roundings to"):
        assert_rounded(x.to(dtype), x, torch.float32, 1)
