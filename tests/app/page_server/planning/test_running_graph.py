"""Graph and checks of a pipeline that another process runs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from voicegraph.app.page_server.planning.running_graph import RunningGraph
from voicegraph.app.session_server._running_pipeline import running_pipeline
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.signals import Audio
from voicegraph.schemas.control import RunningPipeline

_CARD = Audio(Fraction(48000), 2)
"""Not the pipeline's own format, so that the driver adds nodes."""


@pytest.fixture(scope="module")
def running() -> RunningPipeline:
    pipeline = Pipeline.load("default-live", {"vars.voice": "heart"})
    later = pipeline.changed({"nodes.retrieval.enabled": False, "nodes.pitch.params.transpose": 4})
    return running_pipeline(later.compile(_CARD, _CARD, Fraction(17, 100)))


@pytest.fixture
def graph(tmp_path: Path) -> RunningGraph:
    return RunningGraph((tmp_path,))


def test_every_node_is_drawn_and_described(graph: RunningGraph, running: RunningPipeline) -> None:
    found = graph.describe(running)
    names = [node.name for node in found.nodes]
    assert {"f0", "pitch", "voice", "input.to_mono"} <= set(names)
    for node in found.nodes:
        assert node.bypassed or f'id="node-{node.name}"' in found.svg, node.name
    by_name = {node.name: node for node in found.nodes}
    assert by_name["retrieval"].bypassed
    assert by_name["input.to_mono"].driver
    assert by_name["input.to_mono"].alternatives == []
    assert "f0.dio" in by_name["f0"].alternatives
    assert "f0.swift" not in by_name["f0"].alternatives
    assert (by_name["limiter"].bypassable, by_name["f0"].bypassable) == (True, False)


def test_params_have_what_a_form_needs(graph: RunningGraph, running: RunningPipeline) -> None:
    (voice,) = [node for node in graph.describe(running).nodes if node.name == "voice"]
    params = {param.name: param for param in voice.params}
    formant, file = params["formant"], params["voice"]
    assert (formant.live, formant.minimum, formant.maximum) == (True, -12, 12)
    assert formant.unit == "semitones"
    assert (file.live, file.file) == (False, True)


def test_defaults_of_controls_are_the_pipelines_own(
    graph: RunningGraph, running: RunningPipeline
) -> None:
    (pitch,) = [control for control in graph.controls(running) if control.id == "pitch"]
    assert pitch.default == 0


@pytest.mark.parametrize(
    ("change", "code", "node"),
    [
        ({"nodes.f0.use": "f0.nothing"}, "unknown-node", "f0"),
        ({"nodes.f0.use": "dsp.gain"}, None, "f0"),
        ({"nodes.limiter.params.ceiling": 5}, None, "limiter"),
        ({"nodes.nothing.enabled": False}, None, None),
        ({"block": "100ms"}, "other-block", None),
        ({"vars.voice": "/etc/passwd"}, "outside-confinement", None),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_problems_of_a_change_are_told_at_their_node(
    graph: RunningGraph,
    running: RunningPipeline,
    change: dict[str, Any],
    code: str | None,
    node: str | None,
) -> None:
    found = graph.check(running, change)
    assert (found.ok, found.delay_ms) == (False, None)
    assert code in (None, found.problems[0].problem.code)
    assert node in (None, found.problems[0].node)


def test_change_that_fits_has_a_delay(graph: RunningGraph, running: RunningPipeline) -> None:
    found = graph.check(running, {"nodes.f0.use": "f0.dio", "nodes.retrieval.enabled": True})
    assert (found.ok, found.problems) == (True, [])
    plan = running.plan.latency
    assert found.delay_ms == pytest.approx(plan.algorithmic_ms + plan.buffering_ms)
