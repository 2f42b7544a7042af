"""``synth.onnx``: which part is decoded, random numbers, rates, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError, StateError, WeightsError
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.nodes.synth import _onnx_example as example
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._onnx_example import DEITERIS, PLAIN, RATE, WEBUI, WOKADA, Naming, voice

from ...tolerance import SAMPLES, assert_close

test_conformance = conformance.suite("synth.onnx", slow=("growth",))

Save = Callable[..., Path]
SILENT: dict[str, Any] = {"noise_scale": 0.0, "source_noise": 0.0}


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def save(naming: Naming, metadata: dict[str, Any] | None = None, **how: Any) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.onnx"
        path.write_bytes(voice(naming, metadata, **how))
        return path

    return save


def _plan(path: Path, dim: int = example.WIDTH, pitch: bool = True, **params: Any) -> Plan:
    nodes: dict[str, Any] = {
        "content": {"use": "io.vectors", "params": {"rate": 50, "dim": dim}},
        "pitch": {"use": "io.contour", "params": {"rate": 100}},
        "voice": {
            "use": "synth.onnx",
            "in": {"content": "content", **({"pitch": "pitch"} if pitch else {})},
            "params": {"checkpoint": str(path), "extra": "200ms", **params},
        },
        "sola": {"use": "dsp.sola", "in": "voice", "params": {"crossfade": "20ms"}},
    }
    return Pipeline(block="100ms", input={"rate": RATE}, nodes=nodes, output="sola").compile()


def _spoken(plan: Plan, blocks: int = 4) -> np.ndarray:
    with plan.session() as session:
        silence = np.zeros(plan.samples_in, np.float32)
        return np.concatenate([session.process(silence) for _ in range(blocks)], axis=-1)


def test_trimmed_and_whole_windows_are_the_same_sound(save: Save) -> None:
    """A file that decodes what is asked, and one that decodes everything and is cut."""
    found = [_spoken(_plan(save(naming), **SILENT)) for naming in (DEITERIS, WOKADA)]
    assert np.abs(found[0]).max() > 0.1
    assert_close(found[0], found[1], SAMPLES)


def test_more_context_gives_the_same_sound(save: Save) -> None:
    """Each frame of these voices depends on itself alone: a shifted cut would be heard."""
    path = save(WOKADA)
    found = [_spoken(_plan(path, extra=extra, **SILENT)) for extra in ("0ms", "70ms", "1s")]
    assert_close(found[1], found[0], SAMPLES)
    assert_close(found[2], found[0], SAMPLES)


def test_noise_inside_follows_the_params(save: Save) -> None:
    """The file's own random operators are fed by the node: 0 is none, 1.33 twice as much."""
    path = save(PLAIN)
    none, usual, twice = (
        _spoken(_plan(path, pitch=False, noise_scale=scale)) for scale in (0.0, 0.066666, 0.133332)
    )
    assert np.abs(usual - none).max() > 1e-3
    one, two = usual - none, twice - none
    assert np.vdot(two, one) / np.vdot(one, one) == pytest.approx(2, rel=0.05)  # a tanh follows


def test_source_noise_follows_its_param(save: Save) -> None:
    path = save(WOKADA)
    quiet, noisy = (
        _spoken(_plan(path, noise_scale=0.0, source_noise=scale)) for scale in (0.0, 1.0)
    )
    assert np.abs(noisy - quiet).max() > 1e-3


def test_noise_as_an_input_is_that_which_the_file_would_draw(save: Save) -> None:
    """``rnd`` has the scale inside: both namings are equally loud."""
    spread = [
        np.std(_spoken(_plan(save(naming), source_noise=0.0), 20) - still)
        for naming in (WOKADA, WEBUI)
        for still in [_spoken(_plan(save(naming), **SILENT), 20)]
    ]
    assert spread[0] == pytest.approx(spread[1], rel=0.1)  # two samples of 8000 numbers


def test_seed_decides_the_noise(save: Save) -> None:
    path = save(WOKADA)
    plans = [_plan(path), _plan(path)]
    np.testing.assert_array_equal(_spoken(plans[0]), _spoken(plans[1]))
    first, second = _spoken(plans[0], 2)[..., :1600], _spoken(plans[0], 2)[..., 1600:]
    assert np.abs(first - second).max() > 1e-3


def test_rate_is_that_of_the_graph_and_metadata_are_noted(save: Save) -> None:
    path = save(WOKADA, {"samplingRate": 40000, "f0": True, "embChannels": example.WIDTH})
    assert _plan(path).find("voice").node.output_types["audio"].rate == RATE


def test_a_wrong_rate_is_refused_before_it_is_heard(save: Save) -> None:
    plan = _plan(save(WOKADA), rate=48000)
    with pytest.raises(WeightsError, match=r"makes 5\d{3} samples.*at 48000 Hz") as error:
        plan.session()
    assert f"rate: {RATE}" in str(error.value)


def test_speakers_are_those_of_the_file(save: Save) -> None:
    path = save(WOKADA)
    with pytest.raises(PipelineError, match=r"has 3 speakers, 0\.\.2"):
        _plan(path, speaker=3)
    with _plan(path).session() as session, pytest.raises(StateError, match="3 speakers"):
        session.set("voice.speaker", 5)


def test_formant_shift_needs_an_input_for_it(save: Save) -> None:
    path = save(WOKADA)
    with pytest.raises(PipelineError, match="no input for a formant shift") as error:
        _plan(path, formant=2.0)
    assert "--set nodes.voice.params.formant=0" in str(error.value)
    with _plan(path).session() as session, pytest.raises(StateError, match="formant_length"):
        session.set("voice.formant", 2.0)


def test_formant_shift_may_change_while_it_runs(save: Save) -> None:
    plan = _plan(save(DEITERIS))
    with plan.session() as session:
        silence = np.zeros(plan.samples_in, np.float32)
        shapes = []
        for semitones in (0.0, 3.0, -3.0, 0.0):
            session.set("voice.formant", semitones)
            shapes.append(session.process(silence).shape)
    assert len(set(shapes)) == 1


def test_content_of_another_width_is_an_error_of_types(save: Save) -> None:
    with pytest.raises(PipelineError, match=f"takes {example.WIDTH} dimensions"):
        _plan(save(WOKADA), dim=5)


def test_voices_without_pitch_take_none(save: Save) -> None:
    plan = _plan(save(PLAIN), pitch=False)
    assert list(plan.find("voice").inputs) == ["content"]
    assert np.isfinite(_spoken(plan)).all()


def test_a_voice_in_the_wrong_node_is_told_the_other_node(save: Save, tmp_path: Path) -> None:
    rvc_example.write(tmp_path)
    with pytest.raises(PipelineError, match=r"--set nodes\.voice\.use=synth\.rvc"):
        _plan(tmp_path / "voice.pth")
    nodes = {
        "content": {"use": "io.vectors", "params": {"rate": 50, "dim": 768}},
        "pitch": {"use": "io.contour", "params": {"rate": 100}},
        "voice": {
            "use": "synth.rvc",
            "in": {"content": "content", "pitch": "pitch"},
            "params": {"checkpoint": str(save(WOKADA))},
        },
        "sola": {"use": "dsp.sola", "in": "voice"},
    }
    with pytest.raises(PipelineError, match=r"fix: --set nodes\.voice\.use=synth\.onnx"):
        Pipeline(block="100ms", input={"rate": RATE}, nodes=nodes, output="sola").compile()
