"""How any rate and channel count gets to a pipeline's input."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.files.sound.input_conversion import plan_conversion
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio


def _pipeline(**keys: Any) -> Pipeline:
    nodes = {"gain": node("dsp.gain", "input")}
    return Pipeline(**{"block": "10ms", "nodes": nodes, "output": "gain", **keys})


def _names(plan: Any) -> list[str]:
    return [planned.name for planned in plan.nodes]


def test_same_type_needs_no_conversion() -> None:
    found = plan_conversion(_pipeline(), Audio(Fraction(48000), 1))
    assert _names(found.plan) == ["gain"]
    assert found.resampler is None
    assert found.notes == ()


def test_adapters_become_nodes_of_the_plan() -> None:
    found = plan_conversion(_pipeline(), Audio(Fraction(44100), 2))
    assert _names(found.plan) == ["input.to_mono", "input.resample", "gain"]
    assert found.plans == (found.plan,)
    assert found.output == Audio(Fraction(48000), 1)


@pytest.mark.parametrize(
    ("rate", "channels", "wanted", "nodes", "block"),
    [
        (11025, 1, 1, ["resample"], Fraction(2, 75)),
        (11025, 2, 1, ["to_mono", "resample"], Fraction(2, 75)),
        (22050, 1, 2, ["resample", "to_stereo"], Fraction(1, 50)),
        (22050, 5, 2, ["to_mono", "resample", "to_stereo"], Fraction(1, 50)),
        (22050, 2, 2, ["resample"], Fraction(1, 50)),
        (44101, 1, 1, ["resample"], Fraction(1)),
    ],
)
def test_rate_without_whole_blocks_gets_a_resampler_plan(
    rate: int, channels: int, wanted: int, nodes: list[str], block: Fraction
) -> None:
    source = Audio(Fraction(rate), channels)
    found = plan_conversion(_pipeline(input={"channels": wanted}), source)
    assert _names(found.plan) == ["gain"]
    assert found.resampler is not None
    assert found.plans == (found.resampler, found.plan)
    assert _names(found.resampler) == nodes
    assert found.resampler.block == block
    assert found.resampler.source == source
    assert found.resampler.output_type == found.plan.source
    assert f"{rate} Hz has no whole number of samples in a block of 10ms" in found.notes[0]


def test_resampler_plan_has_the_policies_of_the_pipeline() -> None:
    found = plan_conversion(_pipeline(on_nan="silence", threads=1), Audio(Fraction(11025), 1))
    assert found.resampler is not None
    assert found.resampler.settings.on_nan == "silence"
    assert found.resampler.settings.threads == 1


def test_length_is_rounded_once() -> None:
    source = Audio(Fraction(44100), 1)
    found = plan_conversion(_pipeline(), source)
    assert found.length(44100, source) == 48000
    assert found.length(1, source) == 1
    assert found.length(100_001, source) == round(Fraction(100_001 * 48000, 44100))


def test_output_must_be_audio() -> None:
    nodes = {"f0": node("f0.dio", "input")}
    pipeline = _pipeline(input={"rate": 16000}, nodes=nodes, output="f0")
    with pytest.raises(PipelineError, match="is pitch 100 Hz, but a sound file needs audio") as e:
        plan_conversion(pipeline, Audio(Fraction(16000), 1))
    assert "--tap f0.pitch=values.npz" in (e.value.problems[0].fix or "")
