"""What a pipeline makes of a signal where nobody waits for it: what to listen for live."""

from __future__ import annotations

import numpy as np
import soxr

from voicegraph.graph.pipeline import Plan

_BEFORE_S = 5.0
"""Silence before the signal: longer than what pipelines look back."""


def reference_response(plan: Plan, signal: np.ndarray, rate: int) -> np.ndarray:
    """The answer to ``signal``, which begins with a block, without the algorithmic latency.

    Args:
        plan: what answers.
        signal: ``[N]`` at the rate of the plan's input.
        rate: the rate of the answer in Hz.

    Returns:
        The first channel, ``[N]``, as long as the signal.
    """
    block = plan.samples_in
    before = -(-round(_BEFORE_S * plan.source.rate) // block) * block
    heard = np.zeros((plan.source.channels, before + len(signal)), np.float32)
    heard[:, before:] = signal
    with plan.session(warm_up=False, workers=False) as session:
        made = np.concatenate((session.push(heard), session.flush()), 1)[0]
    start = round(before * plan.output_type.rate / plan.source.rate) + plan.latency_out
    count = round(len(signal) * plan.output_type.rate / plan.source.rate)
    part = made[start : start + count]
    return soxr.resample(part, float(plan.output_type.rate), rate, "HQ")
