"""Gains, gate, noise suppression, tone and autotune, which the app adds to a pipeline."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.app.page_server.planning.channel_strip import channel_strip_overrides
from voicegraph.graph.pipeline import Pipeline, node

_GRAPHS = {
    "gain": ({"out": node("dsp.gain", "input", db=-6)}, "out"),
    "limited": (
        {"quiet": node("dsp.gain", "input", db=-6), "out": node("dsp.limiter", "quiet")}, "out",
    ),
    "two readers": (
        {
            "low": node("dsp.gain", "input"),
            "out": node("dsp.mix", {"a": "low", "b": "input"}, gains={"a": 0, "b": -6}),
        },
        "out",
    ),
}  # fmt: skip


def _pipeline(name: str) -> Pipeline:
    nodes, output = _GRAPHS[name]
    return Pipeline(block="20ms", nodes=nodes, output=output)


def _talking(pipeline: Pipeline) -> Pipeline:
    return pipeline.changed(channel_strip_overrides(pipeline.loaded.file))


@pytest.mark.parametrize("name", _GRAPHS)
def test_added_nodes_change_nothing_at_first(name: str) -> None:
    sound = 0.02 * np.random.default_rng(0).standard_normal(4800).astype(np.float32)
    before, after = _pipeline(name), _talking(_pipeline(name))
    one, other = before.session(), after.session()
    assert np.array_equal(one.push(sound), other.push(sound))


def test_everything_that_reads_the_input_reads_it_behind_the_gate() -> None:
    plan = _talking(_pipeline("two readers")).changed({"nodes.gate.enabled": True}).compile()
    readers = {
        planned.name
        for planned in plan.nodes
        for link in planned.inputs.values()
        if link.source.node == "input"
    }
    assert readers == {"input_gain"}


def test_gain_stays_in_front_of_the_limiter() -> None:
    loud = _talking(_pipeline("limited")).changed({"nodes.output_gain.params.db": 60})
    made = loud.session().push(0.5 * np.ones(48000, np.float32))
    assert np.abs(made).max() <= 10 ** (-1 / 20) + 1e-6, "the limiter's ceiling is -1 dB"
    unlimited = _talking(_pipeline("gain"))
    assert unlimited.compile().output.node == "output_limiter"


def test_pipeline_that_has_the_nodes_stays_as_it_is() -> None:
    assert channel_strip_overrides(_talking(_pipeline("gain")).loaded.file) == {}


def test_tone_stands_between_the_voice_and_the_output_gain() -> None:
    pipeline = _talking(_pipeline("limited")).changed(
        {"nodes.eq.params.low_gain": 6, "nodes.compressor.enabled": True}
    )
    order = [planned.name for planned in pipeline.compile().nodes]
    assert order[-4:] == ["eq", "compressor", "output_gain", "out"]


def test_preset_without_tone_gets_it() -> None:
    old = {
        "input_gain": node("dsp.gain", "input"),
        "output_gain": node("dsp.gain", "input_gain"),
    }
    pipeline = _talking(Pipeline(block="20ms", nodes=old, output="output_gain"))
    plan = pipeline.changed({"nodes.compressor.enabled": True}).compile()
    names = [planned.name for planned in plan.nodes]
    assert names == ["input_gain", "eq", "compressor", "output_gain"]


def test_autotune_stands_in_front_of_the_synthesizer() -> None:
    talking = _talking(Pipeline.load("default-live"))
    on = talking.changed({"nodes.tune.enabled": True}).compile()
    links = {p.name: {port: link.source.node for port, link in p.inputs.items()} for p in on.nodes}
    assert links["voice"]["pitch"] == "tune"
    assert on.latency.algorithmic == talking.compile().latency.algorithmic


def test_pipeline_with_autotune_keeps_its_own() -> None:
    once = _talking(Pipeline.load("default-live"))
    assert channel_strip_overrides(once.loaded.file) == {}
