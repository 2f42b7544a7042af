"""The conformance suite: checks that every node must pass.

The author of a third-party node runs it with one line in a test file::

    test_my_node = voicegraph.conformance.suite("my.node")

Each check builds a small pipeline around the node, processes deterministic test signals of the
kinds that its ports take, and compares sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from .. import registry
from ._checks import CHECKS
from ._harness import Case

__all__ = ["CHECKS", "Case", "cases", "check", "suite"]


def cases(use: str, params: Mapping[str, Any] | None = None) -> list[Case]:
    """The node with ``params``, or by default with each of the ``examples`` of its class."""
    chosen = [params] if params is not None else list(registry.find(use).examples)
    return [Case(use, example) for example in chosen]


def check(use: str, params: Mapping[str, Any] | None = None) -> None:
    """Runs every check.

    Raises:
        AssertionError: if checks failed; lists each of them and the reason.
        KeyError: if no node has that name.
    """
    failures = []
    for case in cases(use, params):
        for name, run in CHECKS.items():
            try:
                run(case)
            except AssertionError as error:
                failures.append(f"{name}: {error}")
            except Exception as error:  # a wrong output can raise anything in later nodes
                failures.append(f"{name}: {case}: {type(error).__name__}: {error}")
    if failures:
        raise AssertionError("\n".join(failures))


def suite(
    use: str, params: Mapping[str, Any] | None = None, slow: Collection[str] = ()
) -> Callable[..., None]:
    """A pytest test with one item a check, to assign to a ``test_`` name. Needs pytest.

    Args:
        use: registered name of the node.
        params: its params; None tests each of the ``examples`` of its class.
        slow: checks that get the marker ``slow``, so that a project can deselect them.
    """
    import pytest

    found = cases(use, params)
    # Memory growth does not depend on params, and hundreds of ticks take long.
    pairs = [(case, name) for case in found for name in CHECKS if name != "growth"]
    items = [
        pytest.param(case, name, marks=[pytest.mark.slow] if name in slow else [])
        for case, name in (*pairs, (found[0], "growth"))
    ]

    @pytest.mark.parametrize(("case", "check"), items, ids=str)
    def conformance(case: Case, check: str) -> None:
        CHECKS[check](case)

    return conformance
