"""``synth.rvc``: spans, context, randomness, live params, what it refuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph import conformance, random
from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.intervals import Interval
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.ports import PortSpec
from voicegraph.graph.signals import Features
from voicegraph.nodes.layers.form import plain
from voicegraph.nodes.layers.network import form_for
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._formant_shift import resample
from voicegraph.nodes.synth._synthesizer import nearest
from voicegraph.nodes.synth.network import VoiceNetwork, Window
from voicegraph.nodes.synth.pitch_bins import coarse_pitch
from voicegraph.nodes.synth.rvc import Rvc
from voicegraph.nodes.synth.voice_network import load_voice

from ...tolerance import SAMPLES, SMALL_NETWORK, assert_close, assert_rounded

pytestmark = pytest.mark.numeric

ROUNDINGS = 150
"""In a row: encoder, flow and decoder, each with its convolutions, sums and activations."""

test_conformance = conformance.suite("synth.rvc", slow=("growth",))

SILENT = {"noise_scale": 0.0, "source_noise": 0.0}
CPU = torch.device("cpu")
FLOAT32 = form_for(VoiceNetwork, CPU, torch.float32)
Save = Callable[..., Path]


def _pipeline(
    file: Path,
    block: str = "100ms",
    dim: int = 768,
    crossfade: str = "50ms",
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
                "use": "synth.rvc",
                "in": {port: port for port in inputs},
                "params": {"checkpoint": str(file), "extra": "200ms", **params},
            },
            "sola": {"use": "dsp.sola", "in": "voice", "params": {"crossfade": crossfade}},
        },
        output="sola",
    )


def _loaded(pipeline: Pipeline) -> Rvc:
    """The node of a session that has been opened."""
    plan = pipeline.compile()
    with plan.session(warm_up=False):
        node = plan.find("voice").node
    assert isinstance(node, Rvc)
    return node


def _refused(*args: Any, **params: Any) -> str:
    with pytest.raises(PipelineError) as caught:
        _pipeline(*args, **params).compile()
    return str(caught.value)


def _given(frames: int, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    content = torch.randn(1, frames, 768, generator=generator)
    pitch = 150 + 50 * torch.rand(1, frames, generator=generator)
    pitch[:, frames // 2 :: 7] = 0
    return content, pitch


# ---- spans ----------------------------------------------------------------------------------


def test_sizes_are_those_of_the_reference(save: Save) -> None:
    """Block 250 ms, crossfade 50 ms, 1 s before: 131 frames, 100 of them skipped, 30 decoded."""
    node = _loaded(_pipeline(save(), "250ms", extra="1s"))
    assert node._window == Window(100, 30)
    assert node.asked["audio"].count == 30 * 160
    for port in ("content", "pitch"):
        spec = node.given[port]
        assert spec.count == len(node._frames[port]) == 131
        assert spec.core.duration == Fraction(31, 100)
        assert spec.core.end == spec.interval.end


def test_of_50_hz_a_last_half_frame_is_asked_for(save: Save, drive: Any) -> None:
    node = drive(save(), 30, 1, content_rate=50, extra="1s").node
    assert node.given["content"].count == 66
    assert node._frames["content"].tolist() == [k // 2 for k in range(131)]


@pytest.mark.parametrize(("crossfade", "after"), [("10ms", 0), ("50ms", 1), ("120ms", 8)])
def test_margin_beyond_what_is_faded_is_heard_but_not_decoded(
    save: Save, crossfade: str, after: int
) -> None:
    node = _loaded(_pipeline(save(), crossfade=crossfade))
    decoded = 11 + min(int(crossfade[:-2]) // 10, 4)
    assert node._window == Window(20, decoded)
    assert len(node._frames["pitch"]) == 20 + decoded + after


@given(
    rate=st.fractions(10, 200, max_denominator=9),
    lead=st.fractions(0, 1, max_denominator=320),
    count=st.integers(1, 200),
)
def test_content_is_repeated_up_to_100_hz(rate: Fraction, lead: Fraction, count: int) -> None:
    """Of each 10 ms, the frame that has begun last, in exact arithmetic."""
    span = Interval(Fraction(-count, 100), Fraction(0))
    given_span = Interval(span.start - lead, Fraction(0))
    spec = PortSpec(Features(rate, 8), given_span, span, True)
    found = nearest(spec, span).tolist()
    assert len(found) == count
    assert max(found) < spec.count
    for k, index in enumerate(found):
        time = span.start + Fraction(k, 100)
        assert given_span.start + index / rate <= time < given_span.start + (index + 1) / rate


def test_frames_of_50_hz_are_doubled_and_cut(save: Save, drive: Any) -> None:
    file = save()
    content, pitch = _given(41)
    halves = content[:, ::2]
    doubled = halves.repeat_interleave(2, 1)[:, :41]
    once = drive(file, 20, 1, extra="200ms", **SILENT)(doubled, pitch)
    slow = drive(file, 20, 1, content_rate=50, extra="200ms", **SILENT)(halves, pitch)
    assert torch.equal(once, slow)


def test_extra_is_rounded_to_frames(save: Save, drive: Any) -> None:
    for extra, frames in {"54ms": 5, "55ms": 6, "45ms": 4, "0s": 0}.items():
        assert drive(save(), 10, extra=extra).node._window == Window(frames, 10)


@pytest.mark.parametrize("enabled", [True, False])
def test_encoder_without_a_file_says_what_the_voice_takes(save: Save, enabled: bool) -> None:
    """Directly, and through a retrieval that is off: not every encoder's file can fit."""
    with pytest.raises(PipelineError) as caught:
        Pipeline(
            block="100ms",
            input={"rate": 16000},
            nodes={
                "content": {"use": "content.streaming", "in": "input"},
                "retrieval": {"use": "retrieval.faiss", "in": "content", "enabled": False},
                "pitch": {"use": "io.contour", "params": {"rate": 100}},
                "voice": {
                    "use": "synth.rvc",
                    "in": {"content": "content" if enabled else "retrieval", "pitch": "pitch"},
                    "params": {"checkpoint": str(save())},
                },
            },
            output="voice",
        ).compile()
    assert "voice (synth.rvc) reads it, and takes content features" in str(caught.value)
    assert "of width 768" in str(caught.value)


def test_more_context_changes_what_is_made(save: Save, drive: Any) -> None:
    content, pitch = _given(40)
    much = drive(save(), 10, extra="300ms", **SILENT)(content, pitch)
    little = drive(save(), 10, extra="50ms", **SILENT)(content[:, 25:], pitch[:, 25:])
    assert (much - little).abs().max() > 1e-4


def test_a_block_of_broken_frames_is_refused(save: Save) -> None:
    text = _refused(save(), "33ms")
    assert "at 100 Hz has 3.3 frames in a block of 33ms" in text
    assert "block: 30ms   (or 40ms)" in text


def test_a_short_block_is_refused_with_one_that_works(save: Save) -> None:
    assert "fix: block: 10ms" in _refused(save(), "5ms")


# ---- voices ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kernels", [[15, 11, 5, 3], [14, 14, 6, 6]])
def test_rates_of_44100_hz(save: Save, drive: Any, kernels: list[int]) -> None:
    """441 samples of a frame: odd rates, with odd kernels and with twice the rates."""
    config = [*rvc_example.CONFIG[:12], [7, 7, 3, 3], 16, kernels, 3, 6, 44100]
    file = save(weight=rvc_example.weights(config, 768, f0=True), config=config)
    content, pitch = _given(20)
    made = drive(file, 20, extra=0, **SILENT)(content, pitch)
    assert made.shape == (1, 20 * 441)
    assert made.abs().max() > 1e-3


def test_rates_that_give_no_frames_of_10_ms(save: Save, drive: Any) -> None:
    """22050 Hz are 220.5 samples a frame: with 220 the voice plays at 22000 Hz, and says so."""
    config = [*rvc_example.CONFIG[:12], [5, 11, 2, 2], 16, [10, 22, 4, 4], 3, 6, 22000]
    weight = rvc_example.weights(config, 768, f0=True)
    file = save(weight=weight, config=[*config[:-1], 22050])
    driven = drive(file, 20, extra=0, **SILENT)
    assert driven.node.output_types["audio"].rate == 22000
    assert driven(*_given(20)).shape == (1, 20 * 220)
    (remark,) = driven.node._voice.card.remarks
    assert "its config states 22050 Hz, but its upsampling makes 220 samples" in remark


def test_blocks_of_the_second_kind_and_a_rate_as_text(save: Save, drive: Any) -> None:
    config = rvc_example.SINGLE
    file = save(weight=rvc_example.weights(config, 768, f0=True), config=config)
    content, pitch = _given(20)
    made = drive(file, 20, extra=0, **SILENT)(content, pitch)
    assert made.shape == (1, 20 * 80)
    assert made.abs().max() > 1e-3


def test_speakers_differ(save: Save, drive: Any) -> None:
    content, pitch = _given(20)
    driven = drive(save(), 10, extra="100ms", **SILENT)
    first, second = (driven(content, pitch, speaker=speaker) for speaker in (0, 2))
    assert (first - second).abs().max() > 1e-3
    assert torch.equal(
        second, drive(save(), 10, extra="100ms", speaker=2, **SILENT)(content, pitch)
    )


def test_weights_are_held_once(save: Save, drive: Any) -> None:
    file = save()
    one, two = drive(file, 10), drive(file, 20)
    assert one.node._voice.network is two.node._voice.network
    other = load_voice(file, CPU, plain(torch.float16))
    assert other.network is not one.node._voice.network


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_short_numbers(save: Save, drive: Any, dtype: torch.dtype) -> None:
    content, pitch = _given(20)
    driven = drive(save(), 10, extra="100ms", **SILENT)
    expected = driven(content, pitch)
    driven.node.load(driven.params, CPU, dtype)
    found = driven(content, pitch)
    assert found.dtype is torch.float32
    assert not torch.equal(found, expected)
    assert_rounded(found, expected, dtype, ROUNDINGS)


# ---- formant --------------------------------------------------------------------------------


@pytest.mark.parametrize("semitones", [-7.0, -0.3, 2.0, 12.0])
def test_formant_shift_is_the_references_chain(save: Save, drive: Any, semitones: float) -> None:
    file = save()
    content, pitch = _given(31)
    driven = drive(file, 15, 1, extra="150ms", **SILENT)
    found = driven(content, pitch, formant=semitones)

    factor = 2 ** (semitones / 12)
    frames, step = math.ceil(15 * factor), math.floor(factor * 160)
    f0 = pitch * 2 ** (-semitones / 12)
    with torch.inference_mode():
        network = load_voice(file, CPU, FLOAT32).network
        wave = network.source(f0[:, 15:30] * frames / 15)
        made = network(content, coarse_pitch(f0), wave, 0, Window(15, 15), frames=frames)
        expected = resample(made[:, :, : 15 * step], step, 160)[:, 0]
    assert found.shape == (1, 15 * 160)
    assert_close(found, expected, SAMPLES)
    assert torch.equal(
        driven(content, pitch), drive(file, 15, 1, extra="150ms", **SILENT)(content, pitch)
    )


def test_formant_changes_while_it_runs(save: Save) -> None:
    with _pipeline(save(), noise_scale=0.0).compile().session(warm_up=False) as session:
        block = np.zeros(1600, np.float32)
        session.process(block)
        session.set("voice.formant", 3.0)
        assert np.isfinite(session.process(block)).all()
        assert session.get("voice.formant") == 3.0


# ---- randomness -----------------------------------------------------------------------------


def test_without_scales_nothing_is_drawn(
    save: Save, drive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    driven = drive(save(), 10, extra="100ms", **SILENT)
    content, pitch = _given(20)
    expected = driven(content, pitch)

    def never(*_: Any) -> torch.Tensor:
        raise AssertionError("random numbers were drawn")

    monkeypatch.setattr(random, "normal_tensor", never)
    assert torch.equal(driven(content, pitch), expected)


@pytest.mark.parametrize("which", ["noise_scale", "source_noise"])
def test_noise_hangs_on_seed_name_stream_and_tick(save: Save, drive: Any, which: str) -> None:
    content, pitch = _given(20)
    file = save()

    def run(**about: Any) -> torch.Tensor:
        driven = drive(file, 10, extra="100ms", **{**SILENT, which: 1.0})
        for name, value in about.items():
            target = driven.state if name in ("tick", "stream") else driven.node
            setattr(target, name, value)
        return driven(content, pitch)

    base = run()
    assert torch.equal(base, run())
    assert (base - drive(file, 10, extra="100ms", **SILENT)(content, pitch)).abs().max() > 1e-5
    one = torch.tensor([1])
    for other in (run(seed=7), run(name="other"), run(stream=one), run(tick=one)):
        assert not torch.equal(base, other)


def test_prior_noise_is_scaled_by_its_spread(save: Save, drive: Any) -> None:
    file = save()
    content, pitch = _given(20)
    found = drive(file, 10, extra="100ms", noise_scale=0.5, source_noise=0.0)(content, pitch)
    with torch.inference_mode():
        network = load_voice(file, CPU, FLOAT32).network
        mean, spread = network.enc_p(content, coarse_pitch(pitch), 0)
        drawn = random.normal(0, "voice.prior", 0, 0, mean.numel())
        z = mean + spread.exp() * torch.from_numpy(drawn).view(mean.shape) * 0.5
        z = network.flow(z, network.flow_biases[0], 10, 10)
        source = network.dec.m_source(network.source(pitch[:, 10:20]))
        expected = network.dec(z, source, network.decoder_biases[0])[:, 0]
    assert_close(found, expected, SMALL_NETWORK)


def test_ticks_are_counted(save: Save, drive: Any) -> None:
    driven = drive(save(), 10, extra="100ms")
    content, pitch = _given(20)
    assert not torch.equal(driven(content, pitch), driven(content, pitch))
    assert driven.state.tick.tolist() == [2]


# ---- what it refuses ------------------------------------------------------------------------


def test_a_speaker_that_is_not_there(save: Save) -> None:
    text = _refused(save(), speaker=3)
    assert "speaker 3" in text
    assert "has 3 speakers, 0..2" in text
    assert "--set nodes.voice.params.speaker=2" in text


def test_a_speaker_that_is_not_there_while_it_runs(save: Save) -> None:
    with _pipeline(save()).compile().session(warm_up=False) as session:
        session.set("voice.speaker", 2)
        with pytest.raises(StateError, match=r"has 3 speakers, 0\.\.2"):
            session.set("voice.speaker", 3)
        assert session.get("voice.speaker") == 2


def test_a_running_voice_does_not_need_its_file(save: Save) -> None:
    """What is asked of the voice is what was loaded, whatever the file holds by now."""
    path = save()
    with _pipeline(path).compile().session(warm_up=False) as session:
        before = session.process(np.zeros((1, 1, session.plan.samples_in), np.float32))
        with path.open("r+b") as file:
            file.truncate(100)
        session.set("voice.speaker", 1)
        assert session.process(np.zeros_like(before)).shape == before.shape
        path.unlink()
        session.set("voice.speaker", 2)
        with pytest.raises(StateError, match=r"has 3 speakers, 0\.\.2"):
            session.set("voice.speaker", 3)


def test_content_of_another_width(save: Save) -> None:
    text = _refused(save(), dim=256)
    assert "256" in text
    assert "v2" in text
    assert "768" in text


def test_a_voice_without_pitch_leaves_pitch_out(save: Save) -> None:
    weight = rvc_example.weights(rvc_example.CONFIG, 768, f0=False)
    plan = _pipeline(save(weight=weight, f0=0)).compile()
    assert plan.pruned == ("pitch",)
    with plan.session(warm_up=False) as session:
        assert np.isfinite(session.process(np.zeros(1600, np.float32))).all()


def test_a_voice_with_pitch_needs_it(save: Save) -> None:
    assert "pitch" in _refused(save(), inputs=("content",))


@pytest.mark.parametrize("param", [{"formant": 25.0}, {"noise_scale": -1.0}, {"extra": "2min"}])
def test_params_out_of_range(save: Save, param: dict[str, Any]) -> None:
    assert next(iter(param)) in _refused(save(), **param)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_cuda_agrees(save: Save, drive: Any, dtype: torch.dtype) -> None:
    content, pitch = _given(20)
    driven = drive(save(), 10, extra="100ms", **SILENT)
    expected = driven(content, pitch)
    driven.node.device = torch.device("cuda")
    driven.node.load(driven.params, driven.node.device, dtype)
    found = driven(content.cuda(), pitch.cuda())
    assert found.is_cuda
    if dtype is torch.float32:  # TF32 and atomic sums of cuDNN: a rounding to float16 each
        assert_rounded(found, expected, torch.float16, ROUNDINGS)
    else:
        assert_rounded(found, expected, dtype, ROUNDINGS)
