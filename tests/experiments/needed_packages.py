"""Tests that need packages which are no part of the extras."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from voicegraph.graph.errors import Problem


def skip_if_missing(problems: Iterable[Problem | None]) -> None:
    """Skips the test with the first problem as the reason."""
    for problem in problems:
        if problem is not None:
            pytest.skip(f"{problem.message}: {problem.fix}")
