"""``tools/parity.py``: what counts as a difference."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "parity.py"


@pytest.mark.parametrize(
    ("found", "expected", "difference"),
    [
        ([1.0, 2.0], [1.0, 2.5], 0.5),
        ([], [], np.inf),
        ([np.nan], [1.0], np.inf),
        ([np.nan], [np.nan], np.inf),
        ([1.0], [1.0, 1.0], np.inf),
    ],
)
def test_difference_of_nothing_is_infinite(
    found: list[float], expected: list[float], difference: float
) -> None:
    row = runpy.run_path(str(TOOL))["Row"]("x", np.array(found), np.array(expected), 0.0)
    assert row.difference == difference
