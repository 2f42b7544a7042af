"""The node base: what a class declares, what it inherits, params, state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from voicegraph.graph.intervals import Interval, Request
from voicegraph.graph.node import FilePath, Live, Node, NodeParams, NoParams, State
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio, Features, Mask, Pitch, SignalType


class Base(Node):
    class Params(NodeParams):
        """Params."""

        level: Live[float] = 1.0
        """How loud."""
        mode: str = "plain"
        weights: FilePath | None = None
        both: Live[FilePath | None] = None

    audio = In(Audio, rate=16000, doc="speech")
    out = Out(Audio, like="audio")


class Derived(Base):
    extra = In(Pitch, optional=True)
    more = Out(Features, rate=50, dim=768, window=True)


def test_ports_are_inherited_in_order() -> None:
    assert list(Derived.declared.inputs) == ["audio", "extra"]
    assert list(Derived.declared.outputs) == ["out", "more"]
    assert list(Base.declared.inputs) == ["audio"]


def test_params_are_marked_by_their_annotations() -> None:
    assert Base.Params.live_fields() == {"level", "both"}
    assert Base.Params.file_fields() == {"weights", "both"}
    assert Node.Params.live_fields() == frozenset()
    assert Base.Params.model_fields["level"].description == "How loud."


def test_params_are_frozen_and_strict_about_keys() -> None:
    params = Base.Params()
    with pytest.raises(ValidationError):
        params.level = 2.0  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValidationError):
        Base.Params.model_validate({"levle": 3})


class TypedParams(NodeParams):
    amount: float = 0.5


@dataclass
class TypedState(State):
    last: torch.Tensor


class Typed(Node[TypedParams, TypedState]):
    """Params by type argument."""


class Nested(Node):
    """Params by nested class."""

    class Params(NodeParams):
        amount: float = 0.5


@pytest.mark.parametrize("cls", [Typed, Nested, type("Derived", (Typed,), {})])
def test_params_by_type_argument_or_nested_class(cls: type[Node]) -> None:
    assert cls.Params.model_validate({"amount": 1}).model_dump() == {"amount": 1.0}
    assert cls.Params is not NoParams


def test_nested_params_win_over_type_argument() -> None:
    class Both(Node[TypedParams, None]):
        class Params(TypedParams):
            more: int = 2

    assert list(Both.Params.model_fields) == ["amount", "more"]
    assert Node[TypedParams, None].Params is NoParams


AUDIO = Audio(Fraction(16000), 2)


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        (Out(Audio, like="audio"), Audio(Fraction(16000), 2)),
        (Out(Audio, like="audio", rate=48000), Audio(Fraction(48000), 2)),
        (Out(Audio, like="audio", channels=1), Audio(Fraction(16000), 1)),
        (Out(Audio, rate=Fraction(44100), channels=1), Audio(Fraction(44100), 1)),
        (Out(Features, like="audio", rate=50, dim=8), Features(Fraction(50), 8)),
        (Out(Pitch, rate=100), Pitch(Fraction(100))),
        (Out(Mask, like="audio"), Mask(Fraction(16000))),
    ],
)
def test_types_are_inherited_or_declared(out: Out, expected: SignalType) -> None:
    cls = type("Made", (Node,), {"audio": In(Audio), "out": out})
    assert cls().infer(NoParams(), {"audio": AUDIO}) == {"out": expected}


@pytest.mark.parametrize(
    ("out", "text"),
    [
        (Out(Audio, channels=1), "declares neither rate nor like"),
        (Out(Audio, rate=100), "declares no channels"),
        (Out(Features, like="audio"), "declares no dim"),
    ],
)
def test_incomplete_output_port_is_a_type_error(out: Out, text: str) -> None:
    cls = type("Made", (Node,), {"audio": In(Audio), "out": out})
    with pytest.raises(TypeError, match=text):
        cls().infer(NoParams(), {"audio": AUDIO})


def test_by_default_a_node_needs_what_it_gives() -> None:
    node = Base()
    node.input_types = {"audio": AUDIO}
    out = Request.of(Fraction(-1), Fraction(0))
    assert node.needs(None, out) == {"audio": out}
    assert node.gives(None, out) == Interval(Fraction(-1), Fraction(0))


def test_a_node_that_does_nothing_says_so() -> None:
    with pytest.raises(TypeError, match=r"Base does not define process\(\)"):
        Base().process({}, None, None)


def test_instances_share_nothing() -> None:
    one, other = Base(), Base()
    one.input_types["audio"] = AUDIO
    assert other.input_types == {}


@dataclass
class Two(State):
    sums: torch.Tensor
    count: torch.Tensor


def test_a_narrowed_state_is_a_view() -> None:
    state = Two(torch.zeros(3, 4), torch.zeros(3, dtype=torch.int64))
    part = state.narrow(1)
    assert isinstance(part, Two)
    part.sums += 5
    part.count += 1
    assert state.sums.sum(1).tolist() == [0, 20, 0]
    assert state.count.tolist() == [0, 1, 0]
    assert list(state.tensors()) == ["sums", "count"]


def test_infer_may_refuse() -> None:
    class Picky(Node):
        audio = In(Audio)

        def infer(self, params: Any, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Picky().infer(NoParams(), {})
