"""``dsp.delay``: delays audio by a fixed time."""

from __future__ import annotations

import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Decibels,
    Duration,
    In,
    Live,
    Node,
    NodeParams,
    Out,
    Request,
    Requests,
    Tensors,
    parse_duration,
    register,
)
from voicegraph.nodes.dsp.gain import GainState
from voicegraph.nodes.dsp.param_glide import db_to_linear, scale


class DelayParams(NodeParams):
    """Params of ``dsp.delay``."""

    time: Duration = Field(parse_duration("10ms"), ge=0, le=60)
    """Delay, rounded to the nearest sample."""
    gain: Live[Decibels] = Field(0.0, ge=-120, le=60)
    """Gain of the output in dB."""


@register("dsp.delay")
class Delay(Node[DelayParams, GainState]):
    """Delays audio by a fixed time, and scales it.

    audio ``[streams, channels, samples]`` -> audio, same type. The time is rounded to the nearest
    sample of the input's rate; the delay itself is exact. Before time zero there is silence.
    A delay of at least one block may close a feedback loop (echo); ``gain`` is then the feedback
    gain. A change of ``gain`` glides as in ``dsp.gain``.
    """

    devices = ("cpu", "cuda")
    needs_float64 = True
    examples = ({}, {"time": "0ms"}, {"time": "137ms", "gain": -6.0})

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def needs(self, params: DelayParams, out: Request) -> Requests:
        """The same span, earlier."""
        rate = self.input_types["audio"].rate
        return {"audio": out.shift(-round(params.time * rate) / rate)}

    def prepare(self, params: DelayParams) -> None:
        """Notes the rate."""
        self._rate = float(self.input_types["audio"].rate)

    def state(self, params: DelayParams, streams: int) -> GainState:
        """Starts at the wanted gain, so that nothing fades in."""
        start = db_to_linear(params.gain)
        return GainState(torch.full((streams,), start, dtype=torch.float64, device=self.device))

    def process(self, inputs: Tensors, params: DelayParams, state: GainState) -> Tensors:
        """One block. The edge has delayed the input already, as requested in :meth:`needs`."""
        return {"out": scale(inputs["audio"], state.gain, params.gain, self._rate)}
