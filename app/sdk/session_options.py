"""Opens sessions of the C interface: a pipeline, overrides, and the caller's formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.signals import Audio

from .block_session import BlockSession
from .call_errors import argument_error


@dataclass(frozen=True, slots=True)
class CallerFormat:
    """Sample rate and channels of the caller at one end; 0: those of the pipeline."""

    rate: int = 0
    channels: int = 0

    def applied_to(self, audio: Audio) -> Audio:
        """The caller's format where the pipeline has ``audio``."""
        rate = Fraction(self.rate) if self.rate else audio.rate
        return Audio(rate, self.channels or audio.channels)


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """``vg_options`` of the header."""

    overrides: Sequence[str] = ()
    profiles: Sequence[str] = ()
    source: CallerFormat = CallerFormat()
    target: CallerFormat = CallerFormat()
    recover: bool = False
    record: Path | None = None

    def __post_init__(self) -> None:
        for name, value in (
            ("in_rate", self.source.rate),
            ("in_channels", self.source.channels),
            ("out_rate", self.target.rate),
            ("out_channels", self.target.channels),
        ):
            if value < 0:
                raise argument_error(f"{name} is {value}", fix="0 takes that of the pipeline")


def open_session(pipeline: str, options: SessionOptions) -> BlockSession:
    """Loads, compiles and warms up a pipeline.

    Raises:
        VoicegraphError: if the pipeline has mistakes, or a model or a device fails.
    """
    loaded = Pipeline.load(pipeline, profiles=options.profiles, set_args=options.overrides)
    plan = compile_for(loaded, options.source, options.target)
    return BlockSession(plan, options.recover, options.record)


def compile_for(pipeline: Pipeline, source: CallerFormat, target: CallerFormat) -> Plan:
    """Compiles a pipeline; where the caller's formats differ from its own, it converts.

    Raises:
        PipelineError: if it has mistakes, or a format does not fit its blocks.
    """
    own = CallerFormat()
    plan = pipeline.compile()
    if (source, target) == (own, own) or not isinstance(plan.output_type, Audio):
        return plan
    return pipeline.compile(source.applied_to(plan.source), target.applied_to(plan.output_type))
