"""The dry signal: the input in the output's format, and nothing else."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from voicegraph.graph.live._dry_signal import dry_session
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio


def _plan(target: Audio | None = None):
    nodes = {"late": node("dsp.delay", "input", time="40ms")}
    pipeline = Pipeline(block="20ms", input={"rate": 48000}, nodes=nodes, output="late")
    return pipeline.compile(target=target)


def test_it_passes_the_input_through_bit_by_bit_at_once() -> None:
    plan = _plan()
    block = np.random.default_rng(1).uniform(-1, 1, (1, 960)).astype(np.float32)
    with dry_session(plan) as dry:
        assert np.array_equal(dry.process(block), block)
        assert dry.plan.latency.algorithmic == 0


def test_it_has_the_format_of_the_output() -> None:
    plan = _plan(Audio(Fraction(24000), 2))
    with dry_session(plan) as dry:
        assert dry.plan.output_type == Audio(Fraction(24000), 2)
        made = dry.process(np.full((1, 960), 0.5, np.float32))
        assert made.shape == (2, plan.samples_out)
        assert np.array_equal(made[0], made[1])
