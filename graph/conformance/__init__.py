"""The conformance suite: checks that every node must pass.

The author of a third-party node runs it with one line in a test file::

    test_my_node = voicegraph.conformance.suite("my.node")

A check that cannot apply is left out with a reason, which pytest shows::

    test_my_node = voicegraph.conformance.suite("my.node", skip={"latency": "it is a reverb"})

Each check builds a small pipeline around the node, processes deterministic test signals of the
kinds that its ports take, and compares sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from .. import registry
from ._checks import CHECKS
from ._exports import has_exports
from ._harness import Case

__all__ = ["CHECKS", "Case", "cases", "check", "suite"]


def cases(use: str, params: Mapping[str, Any] | None = None) -> list[Case]:
    """The node with ``params``, or by default with each of the ``examples`` of its class.

    Raises:
        ValueError: if its class has none, so that nothing would be checked.
    """
    chosen = [params] if params is not None else list(registry.find(use).examples)
    if not chosen:
        raise ValueError(f"{use} has no examples, so nothing would be checked: give params")
    return [Case(use, example) for example in chosen]


def check(
    use: str,
    params: Mapping[str, Any] | None = None,
    skip: Mapping[str, str] | None = None,
) -> None:
    """Runs every check.

    Args:
        use: registered name of the node.
        params: its params; None tests each of the ``examples`` of its class.
        skip: checks to leave out, each with the reason.

    Raises:
        AssertionError: if checks failed; lists each of them and the reason.
        KeyError: if no node has that name.
        ValueError: if ``skip`` names an unknown check, gives no reason, or leaves none over.
    """
    left_out = _reasons(skip)
    failures = []
    for case in cases(use, params):
        for name, run in CHECKS.items():
            if name in left_out:
                continue
            try:
                run(case)
            except AssertionError as error:
                failures.append(f"{name}: {error}")
            except Exception as error:  # a wrong output can raise anything in later nodes
                failures.append(f"{name}: {case}: {type(error).__name__}: {error}")
    if failures:
        raise AssertionError("\n".join(failures))


def suite(
    use: str,
    params: Mapping[str, Any] | None = None,
    slow: Collection[str] = (),
    skip: Mapping[str, str] | None = None,
) -> Callable[..., None]:
    """A pytest test with one item a check, to assign to a ``test_`` name. Needs pytest.

    Args:
        use: registered name of the node.
        params: its params; None tests each of the ``examples`` of its class.
        slow: checks that get the marker ``slow``, so that a project can deselect them.
        skip: checks that are skipped, each with the reason, which pytest shows.

    Raises:
        KeyError: if no node has that name.
        ValueError: if ``slow`` or ``skip`` name an unknown check, ``skip`` gives no reason, or
            leaves no check over.
    """
    import pytest

    _require_known("slow", slow)
    left_out = _reasons(skip)

    def marks(name: str) -> list[pytest.MarkDecorator]:
        slows = [pytest.mark.slow] if name in slow else []
        return slows + ([pytest.mark.skip(reason=left_out[name])] if name in left_out else [])

    found = cases(use, params)
    # Memory growth does not depend on params, and hundreds of ticks take long.
    pairs = [(case, name) for case in found for name in CHECKS if name not in ("growth", "exports")]
    pairs += [(found[0], "growth"), *((case, "exports") for case in found if has_exports(case))]
    items = [pytest.param(case, name, marks=marks(name)) for case, name in pairs]

    @pytest.mark.parametrize(("case", "check"), items, ids=str)
    def conformance(case: Case, check: str) -> None:
        CHECKS[check](case)

    return conformance


def _reasons(skip: Mapping[str, str] | None) -> Mapping[str, str]:
    """The checks to leave out, with their reasons, validated."""
    chosen = skip or {}
    _require_known("skip", chosen)
    without = [name for name, reason in chosen.items() if not str(reason or "").strip()]
    if without:
        raise ValueError(f'skip: give a reason, as in skip={{"{without[0]}": "why"}}')
    if chosen.keys() >= CHECKS.keys():
        raise ValueError("skip: all checks are left out")
    return chosen


def _require_known(argument: str, names: Collection[str]) -> None:
    if isinstance(names, str):
        raise ValueError(f"{argument}: expected a collection of checks, found {names!r}")
    unknown = [repr(name) for name in names if name not in CHECKS]
    if unknown:
        known = ", ".join(CHECKS)
        raise ValueError(f"{argument}: no check is called {', '.join(unknown)}; there are: {known}")
