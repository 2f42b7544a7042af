"""Adapters behind the output, for devices of another rate or channel count."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio


def _pipeline(channels: int = 1, block: str = "10ms") -> Pipeline:
    return Pipeline(
        block=block,
        input={"rate": 48000, "channels": channels},
        nodes={"quiet": node("dsp.gain", "input", db=-6)},
        output="quiet",
    )


@pytest.mark.parametrize(
    ("channels", "target", "names"),
    [
        (1, Audio(Fraction(48000), 1), []),
        (1, Audio(Fraction(48000), 2), ["output.to_stereo"]),
        (1, Audio(Fraction(44100), 2), ["output.resample", "output.to_stereo"]),
        (2, Audio(Fraction(44100), 1), ["output.to_mono", "output.resample"]),
        (2, Audio(Fraction(48000), 4), ["output.to_mono", "output.to_stereo"]),
    ],
)
def test_the_output_becomes_what_the_device_takes(
    channels: int, target: Audio, names: list[str]
) -> None:
    plan = _pipeline(channels).compile(target=target)
    assert [n.name for n in plan.nodes if n.name.startswith("output.")] == names
    assert plan.output_type == target
    assert plan.target == target
    with plan.session(warm_up=False) as session:
        made = session.process(np.zeros((1, channels, 480), np.float32))
    assert made.shape == (1, target.channels, plan.samples_out)


def test_it_counts_as_latency_and_changes_the_hash() -> None:
    plain = _pipeline().compile()
    adapted = _pipeline().compile(target=Audio(Fraction(44100), 1))
    assert adapted.latency.algorithmic > plain.latency.algorithmic
    assert adapted.hash != plain.hash
    assert "output.resample" in str(adapted.explain())


def test_both_ends_at_once() -> None:
    source, target = Audio(Fraction(44100), 2), Audio(Fraction(32000), 2)
    plan = _pipeline().compile(source, target)
    assert plan.source == source
    assert plan.output_type == target
    names = [n.name for n in plan.nodes]
    assert names[0] == "input.to_mono"
    assert names[-1] == "output.to_stereo"


def test_a_rate_without_whole_blocks_is_told() -> None:
    with pytest.raises(PipelineError) as caught:
        _pipeline(block="5ms").compile(target=Audio(Fraction(44100), 1))
    assert "10 ms" in str(caught.value) or "10ms" in str(caught.value)


def test_output_that_is_not_audio_is_refused() -> None:
    pipeline = Pipeline(
        block="100ms",
        input={"rate": 16000, "channels": 1},
        nodes={"f0": node("f0.dio", "input"), "pitch": node("pitch.cache", "f0")},
        output="pitch",
    )
    with pytest.raises(PipelineError) as caught:
        pipeline.compile(target=Audio(Fraction(48000), 1))
    assert caught.value.problems[0].code == "output-not-audio"
