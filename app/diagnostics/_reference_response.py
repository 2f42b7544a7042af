"""The reference response: what a pipeline makes of the test signal offline."""

from __future__ import annotations

import numpy as np
import soxr

from voicegraph.graph.pipeline import Plan

_BEFORE_S = 5.0
"""Seconds of silence before the signal: longer than the look-back of pipelines."""


def reference_response(plan: Plan, signal: np.ndarray, rate: int) -> np.ndarray:
    """The response to ``signal``, which starts with a block, without the algorithmic latency.

    Args:
        plan: the compiled pipeline.
        signal: ``[N]`` at the rate of the plan's input.
        rate: of the response in Hz.

    Returns:
        The first channel, float32 ``[N]``, as long as the signal.
    """
    block = plan.samples_in
    before = -(-round(_BEFORE_S * plan.source.rate) // block) * block
    padded = np.zeros((plan.source.channels, before + len(signal)), np.float32)
    padded[:, before:] = signal
    with plan.session(warm_up=False, workers=False, write_files=False) as session:
        made = np.concatenate((session.push(padded), session.flush()), 1)[0]
    start = round(before * plan.output_type.rate / plan.source.rate) + plan.latency_out
    count = round(len(signal) * plan.output_type.rate / plan.source.rate)
    part = made[start : start + count]
    return soxr.resample(part, float(plan.output_type.rate), rate, "HQ")
