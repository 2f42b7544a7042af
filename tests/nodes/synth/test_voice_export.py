"""The exported voice: right for any window, and loaded by programs that know others' names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from voicegraph.graph.export import export_network
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.nodes.layers.form import PORTABLE_FLOAT32
from voicegraph.nodes.layers.network import into_form
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._voice_export import PortableVoice, stretched
from voicegraph.nodes.synth._voice_interface import w_okada_metadata
from voicegraph.nodes.synth.voice_file import open_voice
from voicegraph.nodes.synth.voice_network import build_voice

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric

VOICES = {"voice.pth": 768, "plain.pth": 256}
SAMPLES = 160
"""A frame of the small voice."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("voices")
    rvc_example.write(made)
    return made


def _plan(file: Path) -> Plan:
    pitched = file.name == "voice.pth"
    nodes: dict[str, Any] = {
        "content": {
            "use": "io.vectors", "params": {"rate": 100, "dim": VOICES[file.name]}
        },
        "pitch": {"use": "io.contour", "params": {"rate": 100}},
        "voice": {
            "use": "synth.rvc",
            "in": {port: port for port in ("content", "pitch")[: 1 + pitched]},
            "params": {"checkpoint": str(file), "extra": "200ms"},
        },
        "sola": {"use": "dsp.sola", "in": "voice"},
    }  # fmt: skip
    return Pipeline(block="100ms", input={"rate": 16000}, nodes=nodes, output="sola").compile()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("voice", VOICES)
def test_any_window_is_that_of_the_node(
    voice: str, dtype: Any, folder: Path, tmp_path: Path
) -> None:
    """Windows of other lengths, other decoded frames and a formant shift."""
    target = tmp_path / "voice.ts"
    found = export_network(_plan(folder / voice), "voice", target, form="torchscript", dtype=dtype)
    assert [length.sizes["frames"] for length in found.lengths] == [41, 97, 311]


def test_float16_runs_in_onnx(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    plan = _plan(folder / "voice.pth")
    found = export_network(plan, "voice", tmp_path / "voice.onnx", dtype="float16")
    assert found.dtype == "float16"


@pytest.fixture(scope="module")
def session(folder: Path) -> Any:
    """The voice with pitch as other programs load it."""
    pytest.importorskip("onnx")
    import onnxruntime

    export_network(_plan(folder / "voice.pth"), "voice", folder / "voice.onnx")
    return onnxruntime.InferenceSession(folder / "voice.onnx")


def _window(frames: int) -> dict[str, np.ndarray]:
    """What w-okada's programs give."""
    chance = np.random.default_rng(1)
    return {
        "feats": chance.normal(size=(1, frames, 768)).astype(np.float32),
        "p_len": np.array([frames]),
        "pitch": np.full((1, frames), 80),
        "pitchf": np.full((1, frames), 200, np.float32),
        "sid": np.array([1]),
    }


SILENCED = {name: np.array(0, np.float32) for name in ("noise_scale", "source_noise_scale")}


def test_a_program_that_knows_only_w_okadas_names_runs_it(session: Any) -> None:
    """It reads the metadata, gives five inputs, and takes audio of the whole window."""
    stated = json.loads(session.get_modelmeta().custom_metadata_map["metadata"])
    assert (stated["version"], stated["samplingRate"], stated["f0"]) == ("2.1", 16000, True)
    assert (stated["embChannels"], stated["embOutputLayer"], stated["useFinalProj"]) == (
        768,
        12,
        False,
    )
    required = [given.name for given in session.get_inputs()]
    assert required == ["feats", "p_len", "pitch", "pitchf", "sid"]
    (audio,) = session.run(["audio"], _window(40))
    assert audio.shape == (40 * SAMPLES,)
    assert 0 < np.abs(audio).max() <= 1


def test_a_program_that_knows_deiteris_names_cuts_and_stretches(session: Any) -> None:
    cut = {"skip_head": np.array(12), "return_length": np.array(20)}
    whole = session.run(None, {**_window(40), **SILENCED})[0]
    part = session.run(None, {**_window(40), **SILENCED, **cut})[0]
    assert part.shape == (20 * SAMPLES,)
    assert not np.array_equal(part, whole[12 * SAMPLES : 32 * SAMPLES])  # another phase begins
    longer = {**_window(40), **SILENCED, **cut, "formant_length": np.array(25)}
    assert session.run(None, longer)[0].shape == (25 * SAMPLES,)


def test_noise_is_drawn_inside_unless_its_scale_is_0(session: Any) -> None:
    one, two = (session.run(None, _window(30))[0] for _ in range(2))
    assert not np.array_equal(one, two)
    one, two = (session.run(None, {**_window(30), **SILENCED})[0] for _ in range(2))
    assert np.array_equal(one, two)


def test_frames_beyond_p_len_do_not_matter(folder: Path) -> None:
    network = build_voice(open_voice(folder / "voice.pth"))
    module = PortableVoice(into_form(network, torch.device("cpu"), PORTABLE_FLOAT32))
    zero, none = torch.tensor(0.0), torch.zeros(1, 1)

    def audio(frames: int, p_len: int) -> torch.Tensor:
        given = {name: torch.from_numpy(x[:, :frames]) for name, x in long.items()}
        lengths = (torch.tensor(3), torch.tensor(20), torch.tensor(0))
        noise = (none[None], none, zero, zero)
        return module(
            given["feats"], torch.tensor([p_len]), given["pitch"], given["pitchf"],
            torch.tensor([0]), *lengths, *noise,
        )  # fmt: skip

    long = {k: v for k, v in _window(60).items() if v.ndim > 1}
    assert_close(audio(60, 30), audio(30, 30), SMALL_NETWORK)
    assert not torch.equal(audio(60, 60), audio(60, 30))


@pytest.mark.parametrize(("old", "new"), [(20, 20), (20, 27), (33, 12)])
def test_stretching_is_linear_interpolation(old: int, new: int) -> None:
    x = torch.randn(1, 3, old, generator=torch.Generator().manual_seed(old))
    found = stretched(x, torch.tensor(old), torch.tensor(new))
    if old == new:
        assert torch.equal(found, x)
    assert_close(found, functional.interpolate(x, new, mode="linear"), SMALL_NETWORK)


def test_metadata_of_an_old_voice_without_pitch(folder: Path) -> None:
    found = w_okada_metadata(open_voice(folder / "plain.pth").card)
    assert (found["modelType"], found["f0"]) == ("pyTorchRVCNono", False)
    assert (found["embChannels"], found["embOutputLayer"], found["useFinalProj"]) == (256, 9, True)
