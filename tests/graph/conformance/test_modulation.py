"""Modulating nodes pass, and those that lie about their latency are caught."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from voicegraph.graph import conformance, registry
from voicegraph.graph.conformance._harness import Case
from voicegraph.graph.node import Node

from .modulating_nodes import CORRECT, WRONG, EarlyRing, LateRing, Mute, UndeclaredRing


@pytest.fixture(autouse=True)
def _modulating_nodes() -> Iterator[None]:
    named = {f"modulating.{cls.__name__.lower()}": cls for cls in (*CORRECT, *WRONG)}
    with registry.isolated(named):
        yield


@pytest.mark.parametrize("name", [name for name in conformance.CHECKS if name != "growth"])
@pytest.mark.parametrize("cls", CORRECT, ids=lambda cls: cls.__name__)
def test_correct_modulating_node_passes(cls: type[Node], name: str) -> None:
    conformance.CHECKS[name](Case(cls.use, {}))


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (UndeclaredRing, r"declares a latency of 0\.00 ms, measured .*`modulates = True`"),
        (
            LateRing,
            r"latency of 0\.00 ms, but an impulse arrives 5\.00 ms to 5\.\d\d ms",
        ),
        (
            EarlyRing,
            r"latency of 5\.00 ms, but an impulse arrives 0\.00 ms to 0\.\d\d ms",
        ),
        (Mute, "is silent after each of 9 impulses"),
    ],
)
def test_wrong_latency_of_a_modulating_node_is_caught(cls: type[Node], text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        conformance.CHECKS["latency"](Case(cls.use, {}))


def test_skipped_check_is_left_out_of_check() -> None:
    with pytest.raises(AssertionError, match="latency: "):
        conformance.check(LateRing.use, {})
    conformance.check(LateRing.use, {}, skip={"latency": "it is late", "growth": "takes long"})


@pytest.mark.parametrize(
    ("skip", "text"),
    [
        (
            {"latencies": "why"},
            "skip: no check is called 'latencies'; there are: .*latency",
        ),
        ({"latency": " "}, 'skip: give a reason, as in skip={"latency": "why"}'),
        (dict.fromkeys(conformance.CHECKS, "why"), "skip: all checks are left out"),
        ("latency", "skip: expected a collection of checks, found 'latency'"),
    ],
)
def test_wrong_skip_is_refused(skip: dict[str, str], text: str) -> None:
    for function in (conformance.check, conformance.suite):
        with pytest.raises(ValueError, match=text):
            function(LateRing.use, {}, skip=skip)


def test_unknown_slow_check_is_refused() -> None:
    with pytest.raises(ValueError, match="slow: no check is called 'growths'"):
        conformance.suite(LateRing.use, {}, slow=["growths"])


def test_suite_skips_with_the_reason() -> None:
    made = conformance.suite(LateRing.use, {}, slow=["latency"], skip={"latency": "it is late"})
    (mark,) = made.pytestmark  # pyright: ignore[reportFunctionMemberAccess]
    marks = {item.values[1]: [(m.name, m.kwargs) for m in item.marks] for item in mark.args[1]}
    assert marks.pop("latency") == [("slow", {}), ("skip", {"reason": "it is late"})]
    assert not any(marks.values())
    assert marks.keys() == conformance.CHECKS.keys() - {"latency", "exports"}
