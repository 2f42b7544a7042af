"""What holds for all tests."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings

# The same examples every time, and no time limit for one: machines that build are often busy.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")

Filled = Callable[..., dict[str, torch.Tensor]]


@pytest.fixture(scope="session")
def filled() -> Filled:
    """``filled(shapes, seed=1)``: the weights that the reference's numbers were made with."""
    rule: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[1] / "tools" / "fill.py"))
    return rule["filled"]
