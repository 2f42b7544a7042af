"""``synth.rvc_streaming``: latency, blocks, state, randomness, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.runtime.session import Session
from voicegraph.nodes.layers.form import PLAIN_FLOAT32
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth.rvc_streaming import RvcStreaming, RvcStreamingState
from voicegraph.nodes.synth.streaming_network import StreamingNetwork
from voicegraph.nodes.synth.voice_network import load_voice

from ...tolerance import EXPORTED, SMALL_NETWORK, assert_close, assert_rounded
from ..exported import differences, exported

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("synth.rvc_streaming", slow=("growth",))

CPU = torch.device("cpu")
SILENT: dict[str, Any] = {"noise_scale": 0.0, "source_noise": 0.0}
LATE = 749
"""Samples that the small voice's decoder is late, at 16 kHz."""
ROUNDINGS = 150
"""In a row: encoder, flow and decoder, each with its convolutions, sums and activations."""
Save = Callable[..., Path]


def _pipeline(
    file: Path,
    block: str = "100ms",
    dim: int = 768,
    inputs: tuple[str, ...] = ("content", "pitch"),
    **params: Any,
) -> Pipeline:
    return Pipeline(
        block=block,
        input={"rate": 16000},
        nodes={
            "content": {"use": "io.vectors", "params": {"rate": 100, "dim": dim}},
            "pitch": {"use": "io.contour", "params": {"rate": 100}},
            "voice": {
                "use": "synth.rvc_streaming",
                "in": {port: port for port in inputs},
                "params": {"checkpoint": str(file), "extra": "300ms", **params},
            },
        },
        output="voice",
    )


def _silence(session: Session, blocks: int = 1) -> np.ndarray:
    return session.push(np.zeros(blocks * session.plan.samples_in, np.float32))


def _refused(*args: Any, **params: Any) -> str:
    with pytest.raises(PipelineError) as caught:
        _pipeline(*args, **params).compile()
    return str(caught.value)


# ---- time -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [0, 30])
def test_the_latency_is_that_of_the_decoder_and_the_lookahead(save: Save, ahead: int) -> None:
    plan = _pipeline(save(), lookahead=f"{ahead}ms").compile()
    assert plan.latency.algorithmic == Fraction(LATE, 16000) + Fraction(ahead, 1000)


@pytest.mark.parametrize("block", ["10ms", "40ms", "100ms"])
def test_the_output_is_the_decoding_of_all_latents_at_once(
    save: Save, block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place: aligned by the declared latency, from the first sample on, noise included."""
    path, caught = save(), []
    plain = StreamingNetwork.forward

    def forward(
        self: StreamingNetwork, z: torch.Tensor, wave: torch.Tensor, *more: Any
    ) -> torch.Tensor:
        caught.append((z.clone(), wave.clone()))
        return plain(self, z, wave, *more)

    monkeypatch.setattr(StreamingNetwork, "forward", forward)
    plan = _pipeline(path, block, lookahead=0).compile()
    with plan.session(warm_up=False) as session:
        made = _silence(session, 12)
    latents, waves = torch.cat([z for z, _ in caught], 2), torch.cat([w for _, w in caught], 1)
    network = load_voice(path, CPU, PLAIN_FLOAT32).network
    with torch.inference_mode():
        source = network.dec.m_source(waves)
        whole = network.dec(latents, source, network.decoder_biases[0])[0, 0]
    assert plan.latency_out == LATE
    assert not made[:LATE].any()
    assert_close(made[LATE:], whole[: len(made) - LATE], SMALL_NETWORK)


def test_content_of_50_hz_and_windows_are_taken(save: Save) -> None:
    """A frame of 20 ms counts twice; an encoder of windows is asked for all of the context."""
    plan = _pipeline(save()).changed({"nodes.content.params.rate": 50}).compile()
    given = plan.find("voice").given["content"]
    assert given.interval.duration >= Fraction(4, 10)
    with plan.session(warm_up=False) as session:
        assert np.isfinite(_silence(session, 4)).all()


def test_explain_names_what_is_remembered(save: Save) -> None:
    page = _pipeline(save(), recompute="100ms").compile().explain()
    assert "the text encoder remembers 200ms of context" in " ".join(page.split())
    assert "nodes.voice.params.recompute=null" in page
    exact = _pipeline(save(), recompute=None).compile().explain()
    assert "remembers" not in exact


# ---- state ----------------------------------------------------------------------------------


def test_live_params_act_at_once(save: Save) -> None:
    with _pipeline(save(), **SILENT).compile().session(2, warm_up=False) as session:
        audio = np.zeros((2, 1, 1600), np.float32)
        session.process(audio)
        session.set("voice.speaker", 2, stream=1)
        made = session.process(audio)
        assert np.abs(made[0] - made[1]).max() > 1e-3
        with pytest.raises(StateError, match=r"has 3 speakers, 0\.\.2"):
            session.set("voice.speaker", 3)


def test_a_stream_begins_anew_when_its_voice_is_exchanged(save: Save) -> None:
    """What the text encoder remembers of one voice are no keys of another."""
    other = save("other.pth", weight=_other_weights())
    exchanged, fresh = (_session(path) for path in (other, other))
    old = _session(save())
    with exchanged, fresh, old:
        _silence(old, 5)
        theirs, own = (_state(session).tensors() for session in (old, exchanged))
        for name, tensor in own.items():  # as a hot swap does, where the shapes are equal
            tensor.copy_(theirs[name])
        assert _state(exchanged).position.tolist() == [50]
        assert np.array_equal(_silence(exchanged, 5), _silence(fresh, 5))
        assert _state(exchanged).position.tolist() == [50]


def test_a_session_goes_to_another_voice_to_windows_and_back(save: Save) -> None:
    """Hot swaps: the voice, and the windows of ``synth.rvc`` in the place of the stream."""
    path, other = save(), save("other.pth", weight=_other_weights())
    sola = {"nodes.sola": {"use": "dsp.sola", "in": "voice", "enabled": False}, "output": "sola"}
    pipeline = _pipeline(path, block="20ms", lookahead="20ms", **SILENT).changed(sola)
    windows = {"nodes.voice.use": "synth.rvc", "nodes.sola.enabled": True}
    stream = {"nodes.voice.use": "synth.rvc_streaming", "nodes.sola.enabled": False}
    steps = ({"nodes.voice.params.checkpoint": str(other)}, windows, stream)
    with pipeline.compile().session(warm_up=False) as session:
        old = _identity(session)
        _silence(session, 10)
        for overrides in steps:
            swap = session.change(overrides)
            assert np.isfinite(_silence(session, 60)).all()
            assert swap.switched_at is not None
        assert _identity(session) != old


def _identity(session: Session) -> int:
    return int(_state(session).voice[0])


def _session(path: Path) -> Session:
    return _pipeline(path, **SILENT).compile().session(warm_up=False)


def _state(session: Session) -> RvcStreamingState:
    held = session.engine.by_name["voice"].state
    assert isinstance(held, RvcStreamingState)
    return held


def _other_weights() -> dict[str, torch.Tensor]:
    held = rvc_example.weights(rvc_example.CONFIG, 768, f0=True)
    return {name: tensor * 1.1 for name, tensor in held.items()}


def test_random_numbers_belong_to_positions(save: Save) -> None:
    """The same frames have the same numbers, whatever block they come in."""
    plan = _pipeline(save()).compile()
    with plan.session(2, warm_up=False) as session:
        node, state = plan.find("voice").node, _state(session)
    assert isinstance(node, RvcStreaming)
    state.position[:] = torch.tensor([40, 60])
    whole = node._drawn("prior", state, -20, 30, 4)
    part = node._drawn("prior", state, -3, 5, 4)
    assert torch.equal(whole[:, 17:22], part)
    assert not torch.equal(whole[0], whole[1])
    state.position += 10
    assert torch.equal(node._drawn("prior", state, -13, 5, 4), part)
    assert not torch.equal(node._drawn("source", state, -13, 5, 4), part)


@pytest.mark.parametrize("scale", ["noise_scale", "source_noise", None])
def test_each_noise_can_be_switched_off(save: Save, scale: str | None) -> None:
    """The seed changes what is made if, and only if, there is one."""
    made = []
    for seed in (1, 2):
        plan = _pipeline(save(), **{**SILENT, **({scale: 1.0} if scale else {})}).compile()
        plan.find("voice").node.seed = seed
        with plan.session(warm_up=False) as session:
            made.append(_silence(session, 3))
    assert np.array_equal(*made) is (scale is None)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_short_numbers(save: Save, dtype: str) -> None:
    made = []
    for chosen in ("float32", dtype):
        pipeline = _pipeline(save(), **SILENT).changed({"nodes.voice.dtype": chosen})
        with pipeline.compile().session(warm_up=False) as session:
            made.append(_silence(session, 5))
    assert_rounded(made[1], made[0], getattr(torch, dtype), ROUNDINGS)


# ---- voices, and what is refused ------------------------------------------------------------


def test_a_voice_without_pitch_leaves_pitch_out(save: Save) -> None:
    weight = rvc_example.weights(rvc_example.CONFIG, 768, f0=False)
    plan = _pipeline(save(weight=weight, f0=0)).compile()
    assert plan.pruned == ("pitch",)
    with plan.session(warm_up=False) as session:
        assert np.isfinite(_silence(session, 3)).all()


def test_a_formant_shift_names_the_pipeline_that_can(save: Save) -> None:
    text = _refused(save(), formant=3)
    assert "formant 3" in text
    assert "the pipeline rvc (synth.rvc with dsp.sola) can" in text
    assert "--set nodes.voice.params.formant=0" in text


@pytest.mark.parametrize("param", ["recompute", "lookahead"])
def test_whole_frames_are_asked_for(save: Save, param: str) -> None:
    text = _refused(save(), **{param: "15ms"})
    assert "expected whole frames of 10 ms, such as 10ms or 20ms" in text


def test_a_block_of_broken_frames_is_refused(save: Save) -> None:
    assert "at 100 Hz has 3.3 frames in a block of 33ms" in _refused(save(), "33ms")


def test_content_of_another_width(save: Save) -> None:
    assert "of width 768" in _refused(save(), dim=256)


# ---- export ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "params",
    [{"recompute": "100ms"}, {"recompute": None, "lookahead": "50ms"}, SILENT],
    ids=["remembering", "anew", "without noise"],
)
def test_export_is_the_stream_from_its_beginning_on(save: Save, params: dict[str, Any]) -> None:
    plan = _pipeline(save(), "40ms", **params).compile()
    found = differences(exported(plan, "voice"), 40)
    assert_close(found, np.zeros(40), EXPORTED)
