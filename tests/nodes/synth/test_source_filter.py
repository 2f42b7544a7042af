"""``synth.source_filter``: blocks of any size, phase, clicks, live params, what it refuses."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance, random
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.content import _phonetic_example as phonetic_example
from voicegraph.nodes.synth import _source_filter_example as example
from voicegraph.nodes.synth._minimum_phase import filter_frames, overlap_add
from voicegraph.nodes.synth.pulse_train import pulse_train
from voicegraph.nodes.synth.source_filter import SourceFilter, SourceFilterParams
from voicegraph.nodes.synth.source_filter_file import load_source_filter
from voicegraph.schemas.encoder_card import EncoderIdentity

from ...tolerance import EXPORTED, FLOAT32, SMALL_NETWORK, assert_close
from ..exported import differences, exported

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("synth.source_filter")


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voice")
    example.write(folder)
    return folder / "voice.safetensors"


def _pipeline(
    voice: Path,
    block: str = "40ms",
    content_rate: int = 50,
    pitch_rate: int = 100,
    dim: int = 8,
    content: dict[str, Any] | None = None,
    **params: Any,
) -> Pipeline:
    vectors = {"use": "io.vectors", "params": {"rate": content_rate, "dim": dim}}
    return Pipeline(
        block=block,
        input={"rate": 16000},
        nodes={
            "content": content or vectors,
            "pitch": {"use": "io.contour", "params": {"rate": pitch_rate}},
            "level": {"use": "io.vectors", "params": {"rate": pitch_rate, "dim": 1}},
            "voice": {
                "use": "synth.source_filter",
                "in": {"content": "content", "pitch": "pitch", "level": "level"},
                "params": {"voice": str(voice), **params},
            },
        },
        output="voice",
    )


def _run(pipeline: Pipeline, seconds: float = 1.2) -> np.ndarray:
    plan = pipeline.compile()
    with plan.session(warm_up=False) as session:
        made = session.push(np.zeros(round(seconds * 16000), np.float32))
    return made[..., plan.latency_out :]


def test_the_look_ahead_is_declared(voice: Path) -> None:
    fast = _pipeline(voice, content_rate=100).compile()
    assert fast.latency.algorithmic == Fraction(40, 1000)
    # Of content at 50 Hz, the frame that is needed for one between two of them lasts 20 ms.
    assert _pipeline(voice).compile().latency.algorithmic == Fraction(50, 1000)


@pytest.mark.parametrize("block", ["20ms", "60ms", "200ms"])
def test_blocks_of_any_size_give_the_same(voice: Path, block: str) -> None:
    expected, found = _run(_pipeline(voice, "100ms")), _run(_pipeline(voice, block))
    count = min(len(expected), len(found))
    assert count > 8000
    assert_close(found[:count], expected[:count], SMALL_NETWORK)


def test_a_stream_is_what_the_network_makes_of_the_whole(voice: Path) -> None:
    """The same in one go, as in training: what was learned is what is heard."""
    plan = _pipeline(voice, "100ms", 100).compile()
    kept: dict[str, list[torch.Tensor]] = {"content": [], "pitch": [], "level": []}
    made = []
    with plan.session(warm_up=False) as session:
        for _ in range(12):
            made.append(session.process(np.zeros(1600, np.float32), taps=list(kept)))
            for name, found in kept.items():
                found.append(torch.as_tensor(session.taps[name]).clone())
    content, f0, level = (torch.cat(found, 1) for found in kept.values())
    # 60 ms before the inputs begin, the network hears nothing: 40 ms of run-in, and it looks back.
    content = torch.nn.functional.pad(content, (0, 0, 6, 0))
    f0 = torch.nn.functional.pad(f0, (6, 0))
    level = torch.nn.functional.pad(level[..., 0], (6, 0), value=-70.0)
    network, hop = load_source_filter(voice), 80
    frames = content.shape[1] - 6
    zero = torch.zeros(1).double()
    pulses, _ = pulse_train(f0[:, 2:][:, : frames + 2].double(), zero, hop, 8000)
    seed = plan.find("voice").node.seed
    noise = random.normal(seed, "voice.noise", 0, 0, (frames + 1) * hop)
    sources = torch.stack((pulses, torch.from_numpy(noise)[None]), 1)
    quiet = (
        network.content_mean.expand(1, 106, -1),
        torch.zeros(1, 106),
        torch.full((1, 106), -70.0),
    )
    _, history = network.bands(network.controls(*quiet))
    bands, _ = network.bands(network.controls(content, f0, level), history)
    frames_made = filter_frames(sources, network.envelopes(bands), hop)
    whole = overlap_add(frames_made, hop)[0][0].numpy()
    assert_close(np.concatenate(made), whole, SMALL_NETWORK)


def test_before_the_stream_there_is_silence(voice: Path) -> None:
    """Level that was never measured is 0 on the edges, which would be full scale."""
    plan = _pipeline(voice).compile()
    with plan.session(warm_up=False):
        node = plan.find("voice").node
    assert isinstance(node, SourceFilter)
    state = node.state(SourceFilterParams.model_validate({"voice": voice}), 1)
    given = torch.zeros(1, node.given["level"].count, 1)
    early = given.shape[1] - 4
    assert early > 0
    heard = node._block._heard(given, state)[0, :, 0].tolist()
    assert heard == [-70.0] * early + [0.0] * 4
    state.position += 320  # a block later
    assert node._block._heard(given, state)[0, :, 0].tolist() == [-70.0] * (early - 4) + [0.0] * 8
    state.position += 3200
    assert node._block._heard(given, state).eq(0).all()


def test_live_params_change_without_a_click(voice: Path) -> None:
    pipeline = _pipeline(voice, "20ms")
    with pipeline.compile().session(warm_up=False) as session:
        before = session.push(np.zeros(16000, np.float32))
        session.set("voice.formant", 5.0)
        session.set("voice.breath", -20.0)
        after = session.push(np.zeros(16000, np.float32))
    steady = np.abs(np.diff(np.concatenate([before[4000:], after[1000:]]))).max()
    around = np.abs(np.diff(np.concatenate([before[-400:], after[:400]]))).max()
    assert around < 1.5 * steady


def test_formant_moves_the_envelope(voice: Path) -> None:
    network = load_source_filter(voice)
    bands = torch.linspace(1, 0, 10)[None]
    plain, moved = network.envelopes(bands), network.envelopes(bands, 2.0)
    assert_close(moved[0, ::2], plain[0, : (plain.shape[1] + 1) // 2], FLOAT32)


def test_breath_turns_the_noise_down_alone(voice: Path) -> None:
    loud, soft = (_run(_pipeline(voice, breath=db)) for db in (0.0, -60.0))
    assert np.std(soft) < np.std(loud)
    assert np.std(soft) > 0


def test_a_block_must_hold_whole_frames(voice: Path) -> None:
    with pytest.raises(PipelineError, match=r"voice at 100 Hz has 2\.5 frames in a block of 25ms"):
        _pipeline(voice, "25ms", 200, pitch_rate=200).compile()


def test_a_voice_of_another_width_says_so(voice: Path) -> None:
    with pytest.raises(PipelineError, match="takes a width of 8"):
        _pipeline(voice, dim=9).compile()


def test_another_encoder_is_refused(tmp_path: Path) -> None:
    """The content must come from the encoder that the card names."""
    phonetic_example.write(tmp_path / "encoder.safetensors")
    trained_on = EncoderIdentity(
        title="", family="phonetic-conformer", fingerprint="0" * 16, layer=1
    )
    sizes = example.SIZES.model_copy(update={"content": phonetic_example.SIZES.hidden})
    held = example.weights(sizes)
    count = sum(tensor.numel() for tensor in held.values())
    card = example.card(trained_on, sizes=sizes, parameters=count, vectors=0)
    path = example.save(tmp_path / "voice.safetensors", held, card)
    encoder = {"weights": str(tmp_path / "encoder.safetensors"), "layer": 1}
    content = {"use": "content.phonetic", "in": "input", "params": encoder}
    with pytest.raises(PipelineError, match="fingerprint 0000000000000000"):
        _pipeline(path, content=content).compile()
    _pipeline(path, content=content, any_encoder=True).compile()


def test_export_is_the_stream_from_its_beginning_on(voice: Path) -> None:
    """Its examples change formant and breath from block to block."""
    found = differences(exported(_pipeline(voice).compile(), "voice"), 30)
    assert_close(found, np.zeros(30), EXPORTED)


def test_live_params_are_inputs_of_the_export(voice: Path) -> None:
    made = exported(_pipeline(voice, formant=2.5, breath=-6.0).compile(), "voice")
    defaults = {name: made.inputs[name].default for name in made.live}
    assert {name: float(value) for name, value in defaults.items() if value is not None} == {
        "formant": 2.5, "breath": -6.0,
    }  # fmt: skip
