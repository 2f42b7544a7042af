"""Small nodes with known arithmetic, registered as ``test.*`` while the tests of this folder run.

All of them map whole numbers to whole numbers, so that float32 holds every value exactly and two
ways to the same signal can be compared bit by bit. ``n`` counts samples from the session's start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import Field

from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.intervals import Interval, Request
from voicegraph.graph.node import (
    Live,
    Node,
    NodeParams,
    Requests,
    State,
    Tensors,
)
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.ports import In, Out, Ports, PortSpec
from voicegraph.graph.signals import Audio, Mask, Pitch
from voicegraph.schemas.quantities import Duration


def cut(values: torch.Tensor, given: PortSpec, start: Fraction, count: int) -> torch.Tensor:
    """``count`` samples of an input from time ``start`` on."""
    return values.narrow(2, given.index(start), count)


class Shift(Node):
    """``out[n] = audio[n - by]``: a delay, or with a negative ``by`` a look-ahead."""

    class Params(NodeParams):
        by: int = 0

    pure = True
    audio = In(Audio)
    out = Out(Audio, like="audio")

    def needs(self, params: Params, out: Request) -> Requests:
        return {"audio": out.shift(Fraction(-params.by) / self.input_types["audio"].rate)}

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        asked, given = self.asked["out"], self.given["audio"]
        start = asked.interval.start - Fraction(params.by) / given.rate
        return {"out": cut(inputs["audio"], given, start, asked.count)}


class Around(Node):
    """``out[n] = audio[n - back] + audio[n] - audio[n + ahead]``."""

    class Params(NodeParams):
        back: int = Field(0, ge=0)
        ahead: int = Field(0, ge=0)

    pure = True
    audio = In(Audio)
    out = Out(Audio, like="audio")

    def needs(self, params: Params, out: Request) -> Requests:
        rate = self.input_types["audio"].rate
        return {"audio": out.widen(params.back / rate, params.ahead / rate)}

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        asked, given = self.asked["out"], self.given["audio"]
        x, start, count = inputs["audio"], asked.interval.start, asked.count
        middle = cut(x, given, start, count)
        back = cut(x, given, start - params.back / given.rate, count)
        return {"out": back + middle - cut(x, given, start + params.ahead / given.rate, count)}


class Sum(Node):
    """``out = one + other``, both at one rate."""

    pure = True
    one = In(Audio)
    other = In(Audio, like="one")
    out = Out(Audio, like="one")

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        asked = self.asked["out"]
        start, count = asked.interval.start, asked.count
        one, other = (cut(inputs[p], self.given[p], start, count) for p in ("one", "other"))
        return {"out": one + other}


class Estimate(Node):
    """Windows: ``out[n] = audio[n - back] - audio[n + ahead]``, ``surplus`` more than asked."""

    class Params(NodeParams):
        back: int = Field(0, ge=0)
        ahead: int = Field(0, ge=0)
        surplus: int = Field(0, ge=0)

    pure = True
    audio = In(Audio)
    out = Out(Audio, like="audio", window=True)

    def gives(self, params: Params, out: Request) -> Interval:
        return out.interval.widen(before=params.surplus / self.input_types["audio"].rate)

    def needs(self, params: Params, out: Request) -> Requests:
        rate = self.input_types["audio"].rate
        span = self.gives(params, out).widen(params.back / rate, params.ahead / rate)
        return {"audio": Request(span, out.core)}

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        asked, given = self.asked["out"], self.given["audio"]
        x, start, count = inputs["audio"], asked.interval.start, asked.count
        back = cut(x, given, start - params.back / given.rate, count)
        return {"out": back - cut(x, given, start + params.ahead / given.rate, count)}


class Join(Node):
    """Windows (or a stream) to a stream: ``out[n] = audio[n - back] + audio[n + ahead]``."""

    class Params(NodeParams):
        back: int = Field(0, ge=0)
        ahead: int = Field(0, ge=0)

    audio = In(Audio, window=True)
    out = Out(Audio, like="audio")

    def needs(self, params: Params, out: Request) -> Requests:
        rate = self.input_types["audio"].rate
        span = out.interval.widen(params.back / rate, params.ahead / rate)
        return {"audio": Request(span, span)}

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        asked, given = self.asked["out"], self.given["audio"]
        x, start, count = inputs["audio"], asked.interval.start, asked.count
        back = cut(x, given, start - params.back / given.rate, count)
        return {"out": back + cut(x, given, start + params.ahead / given.rate, count)}


class Split(Node):
    """A stream ``now[n] = audio[n]`` and windows ``soon[n] = audio[n + 2]`` from one node."""

    audio = In(Audio)
    now = Out(Audio, like="audio")
    soon = Out(Audio, like="audio", window=True)

    def needs(self, params: Any, out: Request) -> Requests:
        return {"audio": out.widen(after=2 / self.input_types["audio"].rate)}

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        x, given = inputs["audio"], self.given["audio"]
        now, soon = self.asked["now"], self.asked["soon"]
        late = soon.interval.start + 2 / given.rate
        return {
            "now": cut(x, given, now.interval.start, now.count),
            "soon": cut(x, given, late, soon.count),
        }


class Pool(Node):
    """``out[m]`` is the sum of the ``by`` samples that it covers: the rate divided by ``by``."""

    class Params(NodeParams):
        by: int = Field(2, ge=1)

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def infer(self, params: Params, inputs: Any) -> dict[str, Any]:
        return {"out": Audio(inputs["audio"].rate / params.by, inputs["audio"].channels)}

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        asked, given = self.asked["out"], self.given["audio"]
        values = cut(inputs["audio"], given, asked.interval.start, asked.count * params.by)
        return {"out": values.unflatten(2, (asked.count, params.by)).sum(3)}


class Hold(Node):
    """``out[n] = audio[n // by]``: the rate times ``by``."""

    class Params(NodeParams):
        by: int = Field(2, ge=1)

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def infer(self, params: Params, inputs: Any) -> dict[str, Any]:
        return {"out": Audio(inputs["audio"].rate * params.by, inputs["audio"].channels)}

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        asked, given = self.asked["out"], self.given["audio"]
        held = inputs["audio"].repeat_interleave(params.by, 2)
        skip = int((asked.interval.start - given.interval.start) * asked.rate)
        return {"out": held.narrow(2, skip, asked.count)}


class Echo(Node):
    """``out[n] = audio[n] + back[n - by]``, where ``back`` may be its own output."""

    class Params(NodeParams):
        by: int = 12

    audio = In(Audio)
    back = In(Audio, like="audio")
    out = Out(Audio, like="audio")

    def needs(self, params: Params, out: Request) -> Requests:
        return {
            "audio": out,
            "back": out.shift(Fraction(-params.by) / self.input_types["audio"].rate),
        }

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        return {"out": inputs["audio"] + inputs["back"]}


class Meter(Node):
    """``out[n] = audio[n]``, and ``level[m]``, the sum of 12 samples: two streams of two rates."""

    audio = In(Audio)
    out = Out(Audio, like="audio")
    level = Out(Audio, like="audio")

    def infer(self, params: Any, inputs: Any) -> dict[str, Any]:
        slow = Audio(inputs["audio"].rate / 12, inputs["audio"].channels)
        return {"out": inputs["audio"], "level": slow}

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        x = inputs["audio"]
        return {"out": x.clone(), "level": x.unflatten(2, (-1, 12)).sum(3)}


@dataclass
class TotalState(State):
    total: torch.Tensor


class Total(Node):
    """``out[n]`` is the sum of all samples up to ``n``, modulo 97; one channel."""

    audio = In(Audio, channels=1)
    out = Out(Audio, like="audio")

    def state(self, params: Any, streams: int) -> TotalState:
        return TotalState(torch.zeros(streams, dtype=torch.int64))

    def process(self, inputs: Tensors, params: Any, state: TotalState) -> Tensors:
        sums = inputs["audio"][:, 0].to(torch.int64).cumsum(1) + state.total[:, None]
        sums %= 97
        state.total.copy_(sums[:, -1])
        return {"out": sums[:, None].float()}


@dataclass
class CountState(State):
    position: torch.Tensor


class Count(Node):
    """A generator: ``out[n] = 7 n mod 11``, and 0 before the session's start."""

    class Params(NodeParams):
        rate: int = 1200

    out = Out(Audio, channels=1)

    def ports(self, params: Params) -> Ports:
        return Ports({}, {"out": replace(type(self).out, rate=params.rate)})

    def state(self, params: Params, streams: int) -> CountState:
        first = int(self.asked["out"].interval.end * params.rate)
        return CountState(torch.full((streams,), first, dtype=torch.int64))

    def process(self, inputs: Tensors, params: Params, state: CountState) -> Tensors:
        n = state.position[:, None] + torch.arange(self.asked["out"].count)
        state.position += self.asked["out"].count
        return {"out": torch.where(n < 0, 0, n * 7 % 11)[:, None].float()}


@dataclass
class ScaleState(State):
    previous: torch.Tensor


class Scale(Node):
    """``out[n] = factor * audio[n] + audio[n - 1]``; ``low`` and ``high`` bound the factor."""

    class Params(NodeParams):
        factor: Live[int] = 1
        low: Live[int] = -100
        high: Live[int] = 100
        span: Live[Duration] = Fraction(1, 3)
        fixed: int = 0

        def model_post_init(self, context: Any) -> None:
            if not self.low <= self.factor <= self.high:
                raise ValueError(f"factor must lie in {self.low}..{self.high}")

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def state(self, params: Params, streams: int) -> ScaleState:
        # A fresh stream remembers the factor that it began with, as a glide would.
        shape = self.input_types["audio"].shape(streams, 1)
        return ScaleState(torch.full(shape, float(params.factor)))

    def process(self, inputs: Tensors, params: Params, state: ScaleState) -> Tensors:
        x = inputs["audio"]
        before = torch.cat((state.previous, x[:, :, :-1]), 2)
        state.previous.copy_(x[:, :, -1:])
        return {"out": params.factor * x + before}


class Spoil(Node):
    """Passes audio, except that a sample of 13 becomes NaN, and then all until a reset."""

    class Params(NodeParams):
        sticky: bool = False

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def state(self, params: Params, streams: int) -> ScaleState:
        return ScaleState(torch.zeros(streams))

    def process(self, inputs: Tensors, params: Params, state: ScaleState) -> Tensors:
        x = inputs["audio"]
        made = torch.where(x == 13, torch.nan, x)
        if params.sticky:
            state.previous += made.sum((1, 2))
            made = made + 0 * state.previous[:, None, None]
        return {"out": made}


class Slow(Node):
    """Passes audio after waiting outside the interpreter lock."""

    class Params(NodeParams):
        wait: float = 0.002

    releases_gil = True
    audio = In(Audio)
    out = Out(Audio, like="audio")

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        if params.wait:
            time.sleep(params.wait)
        return {"out": inputs["audio"].clone()}


class Both(Node):
    """``out = one + other``, at any devices; for plans that are only compiled."""

    devices = ("cpu", "cuda")
    dtypes = ("float32", "float16")
    one = In(Audio)
    other = In(Audio, like="one", optional=True)
    out = Out(Audio, like="one")

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        return {"out": inputs["one"] + inputs["other"] if "other" in inputs else inputs["one"] * 1}


class SlowEcho(Echo):
    """The same, after a delay."""

    releases_gil = True

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        time.sleep(0.001)
        return super().process(inputs, params, state)


class Pick(Node):
    """``out`` is the tensor ``one`` itself; ``other`` is only waited for."""

    one = In(Audio)
    other = In(Audio, like="one")
    out = Out(Audio, like="one")

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        return {"out": inputs["one"]}


class Odd(Node):
    """Output like an optional input; for plans that are only compiled."""

    pure = True
    one = In(Audio)
    other = In(Audio, optional=True)
    out = Out(Audio, like="other")


class End(Node):
    """Takes audio and has no output."""

    audio = In(Audio)


class Tracker(Node):
    """Windows of pitch and voicing at 100 Hz."""

    pure = True
    audio = In(Audio, rate=16000, channels=1)
    pitch = Out(Pitch, rate=100, window=True)
    voiced = Out(Mask, rate=100, window=True)


class WideTracker(Tracker):
    """Gives 50 ms if less is requested: frames 1, 2, 3, 4, 5."""

    def gives(self, params: Any, out: Request) -> Interval:
        return out.interval.widen(before=Fraction(5, 100) - out.interval.duration)

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        count = self.asked["pitch"].count
        pitch = torch.arange(1, count + 1).expand(len(inputs["audio"]), -1).float()
        return {"pitch": pitch, "voiced": torch.ones_like(pitch)}


class Vocoder(Node):
    """Takes audio and pitch; for plans that are only compiled."""

    pure = True
    audio = In(Audio, channels=1)
    pitch = In(Pitch)
    out = Out(Audio, like="audio", window=True)


NODES: dict[str, type[Node]] = {
    f"test.{cls.__name__.lower()}": cls
    for cls in (
        Shift, Around, Sum, Echo, Estimate, Join, Split, Pool, Hold, Meter, Total, Count,
        Scale, Spoil, Slow, SlowEcho, Both, Pick, Odd, End, Tracker, WideTracker, Vocoder,
    )
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _test_nodes() -> Iterator[None]:
    with registry.isolated(NODES):
        yield


@pytest.fixture
def build() -> Callable[..., Pipeline]:
    """A pipeline at 1200 Hz in blocks of 10 ms: ``build({"a": node("test.shift", "input")})``."""

    def make(nodes: dict[str, Any], output: str | None = None, **keys: Any) -> Pipeline:
        keys = {"block": "10ms", "input": {"rate": 1200, "channels": 1}, **keys}
        return Pipeline(nodes=nodes, output=output or list(nodes)[-1], **keys)

    return make


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., PipelineError]:
    """The error of a pipeline file ``p.yaml`` with this text; every mark in it reads ``p.yaml``."""

    def load(text: str, **options: Any) -> PipelineError:
        path = tmp_path / "p.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PipelineError) as caught:
            Pipeline.load(path, **options).compile()
        return caught.value

    return load
