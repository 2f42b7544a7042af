"""What is told about a node and its params."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

import pytest
from pydantic import Field

from voicegraph.app.reports._param_descriptions import describe_params
from voicegraph.app.reports.node_catalogue import describe_class, describe_node, summarize_node
from voicegraph.graph import registry
from voicegraph.graph.node import FilePath, Live, Node
from voicegraph.graph.ports import In, Out, Ports
from voicegraph.graph.signals import Audio, Features, Mask, Pitch
from voicegraph.schemas.quantities import Decibels, Duration, Hertz, Rate
from voicegraph.schemas.report import PortInfo


class Wide(Node):
    """Does much.

    And this is how.
    """

    class Params(Node.Params):
        """Params."""

        rate: Rate
        """The rate."""
        time: Duration = Field(Fraction(1, 100), ge=0, le=60)
        level: Live[Decibels] = Field(-6.0, ge=-120, le=0)
        cutoff: Hertz | None = Field(None, gt=0)
        mode: Literal["soft", "hard"] = "soft"
        weights: FilePath | None = None
        count: int = Field(2, ge=1)
        names: dict[str, Decibels] = Field({"a": 0.0}, min_length=1)
        taps: tuple[float, ...] = (1.0, 0.5)
        fast: bool = False

    interface = "Widener"
    audio = In(Audio, rate=16000, channels=1, doc="what is heard")
    other = In(Audio, like="audio", optional=True)
    mask = In(Mask, window=True)
    out = Out(Audio, like="audio")
    pitch = Out(Pitch, rate=Fraction(1000, 3), window=True)
    content = Out(Features, like="audio", dim=768)

    def infer(self, params: Any, inputs: Any) -> dict[str, Any]:
        return {}


def test_params_are_described() -> None:
    found = {p.name: p for p in describe_params(Wide.Params)}
    told = {
        name: (p.type, p.unit, p.range, p.default, p.required, p.live, p.file)
        for name, p in found.items()
    }
    assert told == {
        "rate": ("rate in Hz", None, None, None, True, False, False),
        "time": ("duration", None, "0s .. 60s", "10ms", False, False, False),
        "level": ("number", "dB", "-120 .. 0", -6.0, False, True, False),
        "cutoff": ("number or null", "Hz", "more than 0", None, False, False, False),
        "mode": ("one of: soft, hard", None, None, "soft", False, False, False),
        "weights": ("file or null", None, None, None, False, False, True),
        "count": ("whole number", None, "at least 1", 2, False, False, False),
        "names": ("mapping of text to number", "dB", None, {"a": 0.0}, False, False, False),
        "taps": ("list of number", None, None, [1.0, 0.5], False, False, False),
        "fast": ("true or false", None, None, False, False, False, False),
    }
    assert found["rate"].doc == "The rate."


def _words(ports: list[PortInfo]) -> dict[str, tuple[str, str, str | None]]:
    return {port.name: (port.kind, port.rate, port.width) for port in ports}


def test_ports_are_described() -> None:
    info = describe_class("test.wide", Wide)
    assert _words(info.inputs) == {
        "audio": ("audio", "16000 Hz", "1"),
        "other": ("audio", "as audio", "as audio"),
        "mask": ("mask", "any", None),
    }
    assert _words(info.outputs) == {
        "out": ("audio", "from params", "as audio"),
        "pitch": ("pitch", "1000/3 Hz", None),
        "content": ("features", "from params", "768"),
    }
    assert [port.optional for port in info.inputs] == [False, True, False]
    assert [port.window for port in (*info.inputs, *info.outputs)] == [
        False, False, True, False, True, False,
    ]  # fmt: skip
    assert info.inputs[0].doc == "what is heard"


def test_class_attributes_are_described() -> None:
    info = describe_class("test.wide", Wide)
    assert info.summary == "Does much."
    assert info.doc == "Does much.\n\nAnd this is how."
    assert info.interface == "Widener"
    assert info.error is None


def test_param_dependent_ports_use_an_example() -> None:
    class Many(Node):
        """Has as many inputs as asked."""

        class Params(Node.Params):
            names: tuple[str, ...]

        examples = ({"names": ("one", "two")},)

        def ports(self, params: Any) -> Ports:
            return Ports(dict.fromkeys(params.names, In(Audio)), {"out": Out(Audio, like="one")})

    info = describe_class("test.many", Many)
    assert list(_words(info.inputs)) == ["one", "two"]
    assert _words(info.outputs) == {"out": ("audio", "as one", "as one")}


@pytest.mark.parametrize("name", registry.names())
def test_every_node_can_be_described(name: str) -> None:
    info = describe_node(name)
    assert info.error is None
    assert info.summary
    assert info.outputs
    assert all(param.doc for param in info.params)


def test_unknown_node_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        describe_node("dsp.nothing")


def test_broken_node_reports_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def load(self) -> None:
            raise ImportError("no module named parrot")

    monkeypatch.setattr(registry, "_third_party", lambda: {"mine.broken": Broken()})
    info = describe_node("mine.broken")
    assert info.error == "ImportError: no module named parrot"
    assert info.params == []
    assert summarize_node("mine.broken").error == info.error
