"""Converts a file's sample rate and channel count to those of a pipeline's input."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from voicegraph.schemas.quantities import format_duration, format_rate

from ...errors import PipelineError, Problem
from ...pipeline import Pipeline, Plan, node
from ...signals import Audio

_RESAMPLER_BLOCK = Fraction(20, 1000)
"""Shortest block of a resampler plan: in shorter ones the filter costs more than the block."""


@dataclass(frozen=True, slots=True)
class ConversionPlan:
    """The plans for audio of one type.

    Attributes:
        plan: the pipeline. If possible it starts with the nodes that convert the input
            (``input.resample`` and others).
        resampler: otherwise, a separate plan that converts the input before the pipeline.
        notes: what users should know about it.
    """

    plan: Plan
    resampler: Plan | None = None
    notes: tuple[str, ...] = ()

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans in signal order."""
        return (self.plan,) if self.resampler is None else (self.resampler, self.plan)

    @property
    def output(self) -> Audio:
        """The type of the output."""
        assert isinstance(self.plan.output_type, Audio)
        return self.plan.output_type

    def length(self, frames: int, source: Audio) -> int:
        """Output samples with the duration of ``frames`` samples of ``source``."""
        return round(frames * self.output.rate / source.rate)


def plan_conversion(pipeline: Pipeline, source: Audio) -> ConversionPlan:
    """Compiles a pipeline for audio of type ``source``.

    A block must hold a whole number of samples. If it does not at the rate of ``source`` (11025 Hz
    in blocks of 10 ms), a separate plan with another block resamples first.

    Raises:
        PipelineError: if the pipeline does not compile, or its output is not audio.
    """
    if (source.rate * pipeline.loaded.file.block).denominator == 1:
        found = ConversionPlan(_with_audio_output(pipeline, pipeline.compile(source)))
    else:
        plan = _with_audio_output(pipeline, pipeline.compile())
        resampler = _resampler(plan, source)
        note = (
            f"{format_rate(source.rate)} has no whole number of samples in a block of "
            f"{format_duration(plan.block)}: resampled to {format_rate(plan.source.rate)} before "
            f"the pipeline, in blocks of {format_duration(resampler.block)}"
        )
        found = ConversionPlan(plan, resampler, (note,))
    return found


def planned(
    pipeline: Pipeline, source: Audio, plans: dict[Audio, ConversionPlan] | None
) -> ConversionPlan:
    """The plan for audio of type ``source``, taken from ``plans`` or added to them.

    Raises:
        PipelineError: as :func:`plan_conversion`.
    """
    if plans is None:
        return plan_conversion(pipeline, source)
    if source not in plans:
        plans[source] = plan_conversion(pipeline, source)
    return plans[source]


def _with_audio_output(pipeline: Pipeline, plan: Plan) -> Plan:
    if isinstance(plan.output_type, Audio):
        return plan
    text = f"the output of {plan.name} is {plan.output_type}, but a sound file needs audio"
    mark = pipeline.loaded.source_map.value(("output",))
    fix = f"name an audio output; to save the values: --tap {plan.output}=values.npz"
    raise PipelineError(Problem("output-not-audio", text, mark, fix=fix))


def _resampler(plan: Plan, source: Audio) -> Plan:
    """Downmixes before resampling and upmixes after it, as the compiler does."""
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
    resampler = Pipeline(
        name="input",
        block=period * math.ceil(_RESAMPLER_BLOCK / period),
        input={"rate": source.rate, "channels": source.channels},
        nodes=nodes,
        output=last,
        on_nan=plan.settings.on_nan,
        threads=plan.settings.threads,
    )
    return resampler.compile()
