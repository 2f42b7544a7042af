"""How a file's rate and channel count get to what a pipeline takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from voicegraph.schemas.quantities import format_duration, format_rate

from ...errors import PipelineError, Problem
from ...pipeline import Pipeline, Plan, node
from ...signals import Audio

_FRONT_BLOCK = Fraction(20, 1000)
"""Shortest block of a front: below, the filter's reach costs more than the block itself."""


@dataclass(frozen=True, slots=True)
class Route:
    """The plans that audio of one type passes on its way to a file.

    Attributes:
        plan: the pipeline. Where that works it begins with the nodes that bring the audio to its
            input (``input.resample`` and others).
        front: where that does not work, a plan of its own that does so before.
        notes: says so.
    """

    plan: Plan
    front: Plan | None = None
    notes: tuple[str, ...] = ()

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans in the order of the signal."""
        return (self.plan,) if self.front is None else (self.front, self.plan)

    @property
    def output(self) -> Audio:
        """What comes out."""
        assert isinstance(self.plan.output_type, Audio)
        return self.plan.output_type

    def length(self, frames: int, source: Audio) -> int:
        """Samples of output that last as long as ``frames`` samples of ``source``."""
        return round(frames * self.output.rate / source.rate)


def route(pipeline: Pipeline, source: Audio) -> Route:
    """Compiles a pipeline for audio of type ``source``.

    A block must hold a whole number of samples. Where it does not at the rate of ``source`` (11025
    Hz in blocks of 10 ms), a front plan with a block of its own resamples first.

    Raises:
        PipelineError: if the pipeline does not compile, or gives no audio.
    """
    if (source.rate * pipeline.loaded.file.block).denominator == 1:
        found = Route(_audible(pipeline, pipeline.compile(source)))
    else:
        plan = _audible(pipeline, pipeline.compile())
        front = _front(plan, source)
        note = (
            f"{format_rate(source.rate)} has no whole number of samples in a block of "
            f"{format_duration(plan.block)}: resampled to {format_rate(plan.source.rate)} before "
            f"the pipeline, in blocks of {format_duration(front.block)}"
        )
        found = Route(plan, front, (note,))
    return found


def _audible(pipeline: Pipeline, plan: Plan) -> Plan:
    if isinstance(plan.output_type, Audio):
        return plan
    text = f"{plan.name} gives {plan.output_type}, and a sound file takes audio"
    mark = pipeline.loaded.source_map.value(("output",))
    fix = f"name an audio output; to keep the values: --tap {plan.output}=values.npz"
    raise PipelineError(Problem("output-not-audio", text, mark, fix=fix))


def _front(plan: Plan, source: Audio) -> Plan:
    """Channels are reduced before resampling and added after it, as the compiler does."""
    want = plan.source
    nodes: dict[str, Any] = {}
    last = "input"
    if want.channels != source.channels > 1:
        nodes["to_mono"] = node("dsp.to_mono", last)
        last = "to_mono"
    nodes["resample"] = node("dsp.resample", last, rate=want.rate)
    last = "resample"
    if source.channels != want.channels > 1:
        nodes["to_stereo"] = node("dsp.to_stereo", last, channels=want.channels)
        last = "to_stereo"
    period = Fraction(1, math.gcd(int(source.rate), int(want.rate)))
    front = Pipeline(
        name="input",
        block=period * math.ceil(_FRONT_BLOCK / period),
        input={"rate": source.rate, "channels": source.channels},
        nodes=nodes,
        output=last,
        on_nan=plan.settings.on_nan,
        threads=plan.settings.threads,
    )
    return front.compile()
