"""What every node must pass.

A third-party author runs it with one line in a test file::

    test_my_node = voicegraph.conformance.suite("my.node")

Each check builds a small pipeline around the node, feeds it deterministic test signals of the kinds
that its ports take, and compares sessions with one another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from .. import registry
from ._checks import CHECKS
from ._harness import Case

__all__ = ["CHECKS", "Case", "cases", "check", "suite"]


def cases(use: str, params: Mapping[str, Any] | None = None) -> list[Case]:
    """A node with the given params, or with each of the examples that its class names."""
    chosen = [params] if params is not None else list(registry.find(use).examples)
    return [Case(use, example) for example in chosen]


def check(use: str, params: Mapping[str, Any] | None = None) -> None:
    """Runs every check.

    Raises:
        AssertionError: listing each check that failed, and why.
        KeyError: if no node has that name.
    """
    failures = []
    for case in cases(use, params):
        for name, run in CHECKS.items():
            try:
                run(case)
            except AssertionError as error:
                failures.append(f"{name}: {error}")
            except Exception as error:  # what a wrong output does to the nodes behind it
                failures.append(f"{name}: {case}: {type(error).__name__}: {error}")
    if failures:
        raise AssertionError("\n".join(failures))


def suite(
    use: str, params: Mapping[str, Any] | None = None, slow: Collection[str] = ()
) -> Callable[..., None]:
    """A pytest test with one item a check, to assign to a ``test_`` name. Needs pytest.

    Args:
        use: the node.
        params: what it is given; else each of the examples that its class names.
        slow: checks that get the marker ``slow``, which a project may leave out of its usual runs.
    """
    import pytest

    found = cases(use, params)
    # Whether memory grows does not hang on params, and hundreds of ticks take their time.
    pairs = [(case, name) for case in found for name in CHECKS if name != "growth"]
    items = [
        pytest.param(case, name, marks=[pytest.mark.slow] if name in slow else [])
        for case, name in (*pairs, (found[0], "growth"))
    ]

    @pytest.mark.parametrize(("case", "check"), items, ids=str)
    def conformance(case: Case, check: str) -> None:
        CHECKS[check](case)

    return conformance
