"""What the tests of synthesizers share."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from voicegraph.graph.intervals import Interval, Request
from voicegraph.graph.ports import PortSpec
from voicegraph.graph.signals import Features, Pitch
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth.rvc import Rvc, RvcParams

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "reference"


class Driven:
    """A node as the compiler would set it up, without a pipeline around it.

    Args:
        file: the voice.
        count: frames of 10 ms that are asked for.
        after: frames that come after them.
        content_rate: frames of content a second.
        params: of the node.
    """

    def __init__(
        self, file: Path, count: int, after: int = 0, content_rate: int = 100, **params: Any
    ) -> None:
        self.node = node = Rvc()
        node.name = "voice"
        self.params = RvcParams.model_validate({"checkpoint": file, **params})
        node.declared = node.ports(self.params)
        types = {
            "content": Features(Fraction(content_rate), node.declared.inputs["content"].dim or 0),
            "pitch": Pitch(Fraction(100)),
        }
        node.input_types = {port: types[port] for port in node.declared.inputs}
        node.output_types = node.infer(self.params, node.input_types)
        end = Fraction(-after, 100)
        core = Interval(end - Fraction(count, 100), end)
        request = Request(Interval(core.start, Fraction(0)), core)
        self.asked = node.needs(self.params, request)
        node.asked = {
            "audio": PortSpec(
                node.output_types["audio"], node.gives(self.params, request), core, True
            )
        }
        node.given = {
            port: PortSpec(node.input_types[port], asked.interval, asked.core, True)
            for port, asked in self.asked.items()
        }
        node.load(self.params, torch.device("cpu"), torch.float32)
        self.state = node.state(self.params, 1)

    def __call__(
        self, content: torch.Tensor, pitch: torch.Tensor | None = None, **changed: Any
    ) -> torch.Tensor:
        """One tick; ``[streams, samples]``."""
        given = {"content": content, "pitch": pitch}
        inputs = {
            port: x for port, x in given.items() if port in self.node.input_types and x is not None
        }
        params = self.params.model_copy(update=changed)
        with torch.inference_mode():
            return self.node.process(inputs, params, self.state)["audio"][:, 0]


Save = Callable[..., Path]


@pytest.fixture(scope="session")
def drive() -> type[Driven]:
    """``drive(file, count=30, extra="400ms")(content, pitch)``."""
    return Driven


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes a small voice; what is given replaces what a voice file holds, None takes it out."""

    def write(name: str = "voice.pth", **changes: Any) -> Path:
        held = rvc_example.voice()
        held |= changes
        torch.save({k: v for k, v in held.items() if v is not None}, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture(scope="session")
def keys() -> Callable[[str], dict[str, Any]]:
    """``config``, ``version``, ``f0`` and the shapes of ``weight`` of a reference voice."""

    def read(name: str) -> dict[str, Any]:
        return json.loads((REFERENCE / f"{name}.keys.json").read_text(encoding="utf-8"))

    return read
