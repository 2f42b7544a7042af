"""The dry signal: the input, brought to the output's rate and channels, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..pipeline import Pipeline, node
from ..plan import CompiledPlan
from ..signals import Audio

if TYPE_CHECKING:
    from ..runtime.session import Session


def dry_session(plan: CompiledPlan) -> Session:
    """A session that passes the input of ``plan`` through, in the format of its output."""
    target = plan.output_type
    assert isinstance(target, Audio)
    passing = Pipeline(
        name="dry",
        block=plan.block,
        input={"rate": plan.source.rate, "channels": plan.source.channels},
        nodes={"dry": node("dsp.gain", "input")},
        output="dry",
        on_nan=plan.settings.on_nan,
        threads=plan.settings.threads,
    )
    return passing.compile(target=target).session(workers=False)
