"""Every check catches its fault, and passes a correct node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance, registry
from voicegraph.graph.conformance._harness import Case
from voicegraph.graph.intervals import Request
from voicegraph.graph.network_export import ExportedNetwork, ExportedTensor
from voicegraph.graph.node import Node, NoParams, Requests, State, Tensors
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio, Features, Mask, Pitch, SignalType
from voicegraph.nodes.layers.exported_stream import fixed, spoken, stream_reference


@dataclass
class Memory(State):
    last: torch.Tensor


class Sound(Node):
    """``out[n] = (audio[n] + audio[n - 1]) / 2``, correct; the others each add one fault."""

    audio = In(Audio, channels=1)
    out = Out(Audio, like="audio")

    def state(self, params: Any, streams: int) -> State:
        return Memory(torch.zeros(streams, 1, 1))

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        x = inputs["audio"]
        before = torch.cat((state.last, x[:, :, :-1]), 2)
        state.last.copy_(x[:, :, -1:])
        return {"out": (x + before) / 2}


class Averaged(torch.nn.Module):
    """What :class:`Exported` exports."""

    def forward(self, audio: torch.Tensor, last: torch.Tensor) -> tuple[torch.Tensor, ...]:
        before = torch.cat((last, audio[:, :, :-1]), 2)
        return (audio + before) / 2, audio[:, :, -1:]


class Exported(Sound):
    """Says what it exports, and rightly."""

    module: ClassVar[type[torch.nn.Module]] = Averaged

    def exports(self, params: Any) -> ExportedNetwork:
        def step(inputs: Tensors, held: Memory) -> Tensors:
            return self.process(inputs, params, held)

        return ExportedNetwork(
            module=self.module(),
            inputs={"audio": fixed(self.given["audio"])},
            outputs={"out": fixed(self.asked["out"])},
            example=lambda case: {"audio": spoken("audio", case, self.given["audio"])},
            reference=stream_reference(step, Memory(torch.zeros(1, 1, 1))),
            state={"last": torch.zeros(1, 1, 1)},
        )


class HalfAveraged(Averaged):
    def forward(self, audio: torch.Tensor, last: torch.Tensor) -> tuple[torch.Tensor, ...]:
        out, last = super().forward(audio, last)
        return out / 2, last


class ExportsOther(Exported):
    """Another network; and its reference is that network itself, so that a file of it is right."""

    module = HalfAveraged

    def exports(self, params: Any) -> ExportedNetwork:
        made, held = super().exports(params), [torch.zeros(1, 1, 1)]

        def reference(values: Tensors) -> Tensors:
            out, held[0] = made.module(values["audio"], held[0])
            return {"out": out}

        return replace(made, reference=reference)


class ExportsOtherThanItsReference(Exported):
    module = HalfAveraged

    def exports(self, params: Any) -> ExportedNetwork:
        made = super().exports(params)
        inputs = {"sound": made.inputs["audio"]}  # no port, so that a file decides
        return replace(
            made,
            inputs=inputs,
            example=lambda case: {"sound": made.example(case)["audio"]},
            reference=lambda values: made.reference({"audio": values["sound"]}),
        )


class ExportsOtherAxes(Exported):
    def exports(self, params: Any) -> ExportedNetwork:
        made = super().exports(params)
        return replace(made, outputs={"out": ExportedTensor((1, 2, "samples"))})


class KeepsItsState(Averaged):
    def forward(self, audio: torch.Tensor, last: torch.Tensor) -> tuple[torch.Tensor, ...]:
        out, new = super().forward(audio, last)
        return out, last.copy_(new)


class ExportsInPlace(Exported):
    module = KeepsItsState


class ExportsNoState(Exported):
    def exports(self, params: Any) -> ExportedNetwork:
        return replace(super().exports(params), state={})


class TooShort(Sound):
    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        return {"out": super().process(inputs, params, state)["out"][:, :, 1:]}


class NotFinite(Sound):
    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        return {"out": torch.log(super().process(inputs, params, state)["out"])}


class Doubles(Sound):
    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        return {"out": super().process(inputs, params, state)["out"].double()}


class ByBlocks(Sound):
    """Normalises every block."""

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        x = super().process(inputs, params, state)["out"]
        return {"out": x / (1 + x.abs().amax(2, keepdim=True))}


class Hidden(Sound):
    """Keeps a value outside its state."""

    def load(self, params: Any, device: torch.device, dtype: torch.dtype) -> None:
        self.hidden: torch.Tensor | None = None

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        made = super().process(inputs, params, state)["out"]
        hidden, self.hidden = self.hidden, made.clone()
        return {"out": made if hidden is None or hidden.shape != made.shape else made + hidden}


class Leaky(Sound):
    """Mixes all streams a little."""

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        made = super().process(inputs, params, state)["out"]
        return {"out": made + 0.001 * made.mean(0, keepdim=True)}


class Dice(Sound):
    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        made = super().process(inputs, params, state)["out"]
        return {"out": made + 1e-6 * torch.rand(made.shape)}


class Vandal(Sound):
    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        made = super().process(inputs, params, state)
        inputs["audio"].mul_(0.5)
        return made


class Counter(Sound):
    """Counts on the instance, without an effect on the output."""

    def load(self, params: Any, device: torch.device, dtype: torch.dtype) -> None:
        self.ticks = {"count": [0]}

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        self.ticks["count"][0] += 1
        return super().process(inputs, params, state)


class Replaced(Sound):
    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        made = super().process(inputs, params, state)
        state.last = state.last.clone()
        return made


class NoStreams(Sound):
    def state(self, params: Any, streams: int) -> State:
        return Memory(torch.zeros(1, 1, 1))


class Halves(Sound):
    def state(self, params: Any, streams: int) -> State:
        return Memory(torch.zeros(streams, 1, 1, dtype=torch.float16))


class Pretender(Sound):
    pure = True


class Late(Sound):
    """Delays by 5 ms without declaring it."""

    def needs(self, params: Any, out: Request) -> Requests:
        return {"audio": out.widen(before=Fraction(5, 1000))}

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        count = self.asked["out"].count
        return {"out": inputs["audio"][:, :, :count].clone()}


class Hoarder(Sound):
    kept: ClassVar[list[Any]] = []

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        self.kept.append(inputs["audio"].clone())
        return super().process(inputs, params, state)


class Swells(Sound):
    heard: ClassVar[np.ndarray] = np.zeros(0, np.float32)

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        type(self).heard = np.append(self.heard, inputs["audio"].numpy())
        return super().process(inputs, params, state)


class Remembers(Sound):
    heard: ClassVar[list[Any]] = []

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        self.heard.append(object())
        return super().process(inputs, params, state)


FAULTS = [
    (TooShort, "shapes", r"out has shape .*639\), the plan declares .*640\)"),
    (NotFinite, "shapes", "out is not finite"),
    (Doubles, "shapes", "out is torch.float64, not float32"),
    (ByBlocks, "chunking", "declared exact, but in blocks of 10ms differs by"),
    (Hidden, "snapshot", "continues differently after a snapshot"),
    (Hidden, "reset", "reset is not a fresh start"),
    (Leaky, "streams", "stream 1 leaks into stream 0"),
    (Dice, "repeat", "gives different output for the same input"),
    (Vandal, "inputs", "input `audio` was modified"),
    (Counter, "instance", "changed its own attributes: ticks"),
    (Replaced, "state", "state was replaced; change it in place"),
    (NoStreams, "state", "state last has no streams axis in front"),
    (Halves, "state", "state last is torch.float16"),
    (Pretender, "state", "is declared pure, but has a state"),
    (Late, "latency", r"declares a latency of 0\.00 ms, measured 5\.00 ms"),
    (Hoarder, "growth", "grew by|more tensors"),
    (Swells, "growth", "grew by [0-9]+ bytes"),
    (Remembers, "growth", "grew by [0-9]+ objects"),
    (ExportsOther, "exports", r"out of block 0 is .* from what the node computes in a session"),
    (ExportsOtherThanItsReference, "exports", "differs from the node at 3 of 3 lengths"),
    (ExportsOtherAxes, "exports", r"output out has sizes \[1, 1, 640\], declared are \[1, 2"),
    (ExportsInPlace, "exports", "its module changes its inputs last"),
    (ExportsNoState, "exports", r"its module, given audio: TypeError: .*'last'"),
]


@pytest.fixture(autouse=True)
def _faulty_nodes() -> Iterator[None]:
    classes = {Sound, Exported, *(cls for cls, _, _ in FAULTS), Maker}
    with registry.isolated({f"faults.{cls.__name__.lower()}": cls for cls in classes}):
        yield
    Hoarder.kept.clear()


class Maker(Node):
    """Takes every kind except audio."""

    features = In(Features, dim=4)
    pitch = In(Pitch)
    voiced = In(Mask, optional=True)
    out = Out(Audio, rate=16000, channels=1)

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        frames = inputs["features"].sum(2) + inputs["pitch"] / 1000 * inputs["voiced"]
        made = frames.repeat_interleave(160, 1)[:, None]
        skip = int((self.asked["out"].interval.start - self.given["pitch"].interval.start) * 16000)
        return {"out": made[:, :, skip : skip + self.asked["out"].count]}

    def infer(self, params: Any, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        assert inputs["features"].rate == inputs["pitch"].rate == 100
        return super().infer(params, inputs)


@pytest.mark.parametrize(
    ("cls", "check", "text"), FAULTS, ids=[f"{cls.__name__}-{name}" for cls, name, _ in FAULTS]
)
def test_each_check_catches_its_fault(cls: type[Node], check: str, text: str) -> None:
    with pytest.raises(AssertionError, match=text):
        conformance.CHECKS[check](Case(cls.use, {}))


@pytest.mark.parametrize("name", conformance.CHECKS)
def test_correct_node_passes_all_checks(name: str) -> None:
    conformance.CHECKS[name](Case("faults.exported", {}))


def test_every_check_has_a_fault_here() -> None:
    assert {name for _, name, _ in FAULTS} == conformance.CHECKS.keys() - {"cuda"}


def test_sources_are_made_for_every_kind_of_input() -> None:
    for name in ("shapes", "chunking", "repeat"):
        conformance.CHECKS[name](Case("faults.maker", {}))


def test_check_reports_all_failures_together() -> None:
    with pytest.raises(AssertionError) as caught:
        conformance.check("faults.tooshort", {})
    text = str(caught.value)
    assert "shapes: faults.tooshort(): out has shape" in text
    assert "repeat: faults.tooshort(): RuntimeError: " in text


def test_an_unknown_node_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        conformance.check("faults.none")


def test_suite_has_one_item_per_check_and_example() -> None:
    suite = conformance.suite("dsp.delay", slow=("growth",))
    (mark,) = suite.pytestmark  # pyright: ignore[reportFunctionMemberAccess]
    items = [(str(case), check) for case, check in (item.values for item in mark.args[1])]
    slow = [item.values[1] for item in mark.args[1] if item.marks]
    assert slow == ["growth"]
    names = {"dsp.delay()", "dsp.delay(time=0ms)", "dsp.delay(time=137ms, gain=-6.0)"}
    each = conformance.CHECKS.keys() - {"growth", "exports"}
    once = {(name, check) for name in names for check in each}
    assert set(items) == once | {("dsp.delay()", "growth")}
    assert len(items) == len(set(items))


def test_suite_checks_exports_of_nodes_that_have_them() -> None:
    suite = conformance.suite("faults.exported", {})
    (mark,) = suite.pytestmark  # pyright: ignore[reportFunctionMemberAccess]
    assert "exports" in [item.values[1] for item in mark.args[1]]


def test_test_signal_is_deterministic_and_audible() -> None:
    from voicegraph.graph.conformance._harness import plan, signal

    made = plan(Case("dsp.gain", {}))
    one, other = signal(made, 0.5), signal(made, 0.5)
    np.testing.assert_array_equal(one, other)
    assert one.shape == (1, 8000)
    assert 0.01 < np.abs(one).max() <= 1
    assert not np.array_equal(one, signal(made, 0.5, stream=1))


def test_node_without_examples_gets_no_verdict() -> None:
    class Unexampled(Node[NoParams, None]):
        audio = In(Audio)
        out = Out(Audio, like="audio")
        examples = ()

    with (
        registry.isolated({"test.unexampled": Unexampled}),
        pytest.raises(ValueError, match="nothing would be checked"),
    ):
        conformance.check("test.unexampled")
