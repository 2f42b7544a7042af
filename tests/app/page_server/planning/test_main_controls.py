"""The main controls of the page: which a pipeline has, and their ranges."""

from __future__ import annotations

from voicegraph.app.page_server.planning.channel_strip import channel_strip_overrides
from voicegraph.app.page_server.planning.main_controls import main_controls
from voicegraph.graph.pipeline import Pipeline, node


def _with_channel_strip() -> Pipeline:
    nodes = {"out": node("dsp.gain", "input", db=-6)}
    pipeline = Pipeline(block="20ms", nodes=nodes, output="out")
    return pipeline.changed(channel_strip_overrides(pipeline.loaded.file))


def test_controls_are_those_that_the_pipeline_has() -> None:
    found = {control.id: control for control in main_controls(_with_channel_strip().compile())}
    assert list(found) == [
        "bass", "middle", "treble", "compressor", "compressor_makeup", "gate", "denoise",
        "input_gain", "output_gain",
    ]  # fmt: skip
    gate, gain = found["gate"], found["input_gain"]
    assert (gate.param, gate.node, gate.on, gate.default) == ("gate.threshold", "gate", False, -50)
    assert (gain.param, gain.node, gain.on, gain.default) == ("input_gain.db", None, True, 0)


def test_autotune_has_a_switch_and_parts() -> None:
    pipeline = Pipeline.load("default-live")
    plan = pipeline.changed(channel_strip_overrides(pipeline.loaded.file)).compile()
    found = {control.id: control for control in main_controls(plan)}
    tune, scale = found["autotune"], found["autotune_scale"]
    assert (tune.node, tune.on, tune.param, tune.scale) == ("tune", False, "tune.strength", 100)
    assert (scale.part_of, scale.node, scale.default) == ("autotune", None, "chromatic")
    assert "minor_pentatonic" in (scale.choices or [])


def test_value_outside_of_the_usual_range_widens_it() -> None:
    loud = _with_channel_strip().changed({"nodes.input_gain.params.db": 40})
    (control,) = [c for c in main_controls(loud.compile()) if c.id == "input_gain"]
    assert (control.maximum, control.default) == (40, 40)
