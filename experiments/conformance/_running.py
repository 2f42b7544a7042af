"""Runs the checks of a plug-in, and raises all that failed at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

C = TypeVar("C")
Check = Callable[[C], None]


def run(checks: Mapping[str, Check[C]], case: C, skip: Mapping[str, str] | None) -> None:
    """Runs every check.

    Raises:
        AssertionError: if checks failed; lists each of them and the reason.
        ValueError: if ``skip`` names an unknown check, gives no reason, or leaves none over.
    """
    left_out = dict(skip or {})
    if unknown := sorted(left_out.keys() - checks.keys()):
        raise ValueError(f"there is no check {unknown[0]!r}; there are: {', '.join(checks)}")
    if not all(reason.strip() for reason in left_out.values()):
        raise ValueError("a check is left out with a reason")
    if left_out.keys() == checks.keys():
        raise ValueError("nothing would be checked")
    failures = []
    for name, check in checks.items():
        if name in left_out:
            continue
        try:
            check(case)
        except AssertionError as error:
            failures.append(f"{name}: {error}")
        except Exception as error:  # plug-ins raise anything
            failures.append(f"{name}: {type(error).__name__}: {error}")
    if failures:
        raise AssertionError("\n".join(failures))
