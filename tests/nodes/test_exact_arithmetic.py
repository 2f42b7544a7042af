"""No tick computes with fractions: they cost microseconds each, and are worked out beforehand.

Exact times belong to the compiler and to ``Node.prepare``. Arithmetic of ``Fraction`` raises here
while a block is processed, whatever name it is reached by.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from voicegraph.graph import registry
from voicegraph.graph.conformance import Case, cases
from voicegraph.graph.conformance._harness import plan, signal
from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.runtime.session import Session

_armed = threading.local()
_KEPT = {"__init_subclass__", "__subclasshook__", "__class_getitem__", "__reduce__"}


def _guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def guard(*args: Any, **kwargs: Any) -> Any:
        if getattr(_armed, "on", False):
            raise AssertionError(f"Fraction.{name} is computed while a block is processed")
        return function(*args, **kwargs)

    return guard


@pytest.fixture
def guarded_fractions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every operation of ``Fraction`` fail within :func:`ticks`."""
    to_float = _guarded(Fraction.__float__, "__float__")  # inherited from numbers.Rational
    monkeypatch.setattr(Fraction, "__float__", to_float, raising=False)
    for name, function in list(vars(Fraction).items()):
        if name in _KEPT or not name.startswith("__"):
            continue
        if name == "__new__":
            monkeypatch.setattr(Fraction, name, staticmethod(_guarded(Fraction.__new__, name)))
        elif callable(function):
            monkeypatch.setattr(Fraction, name, _guarded(function, name))


@contextmanager
def ticks() -> Iterator[None]:
    """No fraction may be computed with in here, on this thread."""
    _armed.on = True
    try:
        yield
    finally:
        _armed.on = False


def _blocks(found: Plan, count: int) -> list[np.ndarray]:
    audio = np.stack([signal(found, (count + 1) * float(found.block), s) for s in range(2)])
    size = found.samples_in
    return [audio[:, :, i * size : (i + 1) * size] for i in range(count)]


EXAMPLES = [case for use in registry.names() for case in cases(use)]


@pytest.mark.usefixtures("guarded_fractions")
@pytest.mark.parametrize("case", EXAMPLES, ids=str)
def test_no_node_computes_fractions_in_a_tick(case: Case) -> None:
    chosen = _plan(case)
    with Session(chosen, 2, warm_up=False, workers=False) as session:
        first, *others = _blocks(chosen, 6)
        session.process(first)  # what a first block prepares may be exact
        _turn_the_knobs(session)
        with ticks():
            for block in others:
                session.process(block)


def _plan(case: Case) -> Plan:
    try:
        return plan(case)
    except PipelineError as error:
        if all(problem.code == "missing-extra" for problem in error.problems):
            pytest.skip(str(error).splitlines()[0])
        raise


def _turn_the_knobs(session: Session) -> None:
    """Changes every live param that is a number, so that what glides does so."""
    for step in session.engine.steps:
        for name in sorted(type(step.params).live_fields()):
            value = getattr(step.params, name)
            if isinstance(value, float | int):
                for changed in (value + 0.1, value - 0.1):
                    with suppress(StateError):
                        session.set(f"{step.name}.{name}", changed)


@pytest.mark.usefixtures("guarded_fractions")
@pytest.mark.parametrize("name", ["default-live", "world"])
def test_no_bundled_pipeline_computes_fractions_in_a_tick(name: str) -> None:
    found = Pipeline.load(name).compile()
    block = signal(found, 1.0)[:, : found.samples_in]
    with found.session(warm_up=False, workers=False) as session:
        session.process(block)
        with ticks():
            session.process(block)


@pytest.mark.usefixtures("guarded_fractions")
def test_the_guard_sees_every_operation() -> None:
    third = Fraction(1, 3)
    operations: list[Callable[[], Any]] = [
        lambda: third + 1,
        lambda: 2 * third,
        lambda: third // 1,
        lambda: -third,
        lambda: float(third),
        lambda: int(third),
        lambda: round(third),
        lambda: third < 1,
        lambda: third == 1,
        lambda: Fraction(2),
    ]
    for operation in operations:
        operation()
        with ticks(), pytest.raises(AssertionError, match="while a block is processed"):
            operation()
