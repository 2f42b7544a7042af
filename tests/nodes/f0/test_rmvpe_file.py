"""Files of RMVPE: recognised, described, converted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from voicegraph.graph.errors import WeightsError
from voicegraph.graph.files.models import identify, open_archive
from voicegraph.nodes.f0._rmvpe_example import write
from voicegraph.nodes.f0._rmvpe_network import MARKER
from voicegraph.nodes.f0.rmvpe import Rmvpe, RmvpeParams
from voicegraph.nodes.f0.rmvpe_file import KIND, sizes_of
from voicegraph.nodes.synth import rvc_example
from voicegraph.schemas.pitch_model_card import PitchModelCard


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    write(tmp_path / "rmvpe.pt")
    return tmp_path / "rmvpe.pt"


def _card(path: Path):
    return KIND.card(path, open_archive(path))


def _f0(path: Path) -> np.ndarray:
    made = Rmvpe()
    params = RmvpeParams.model_validate({"weights": path, "threshold": 0.0})
    made.ports(params)
    made.load(params, torch.device("cpu"), torch.float32)
    chance = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        return made.estimate_all(params, torch.randn(1, 4960, generator=chance)).numpy()


def test_card_describes_the_network(weights: Path) -> None:
    found = _card(weights)
    assert isinstance(found, PitchModelCard)
    assert found.kind == KIND.name == "pitch-model"
    assert (found.mels, found.bins, found.sample_rate) == (128, 360, 16000)
    tensors = torch.load(weights, weights_only=True)
    assert found.parameters == sum(t.numel() for t in tensors.values())


@pytest.mark.parametrize("under", ["model", "state_dict", "weights", "ema"])
@pytest.mark.parametrize("wrapper", ["", "module.", "_orig_mod.module."])
def test_training_checkpoint_is_recognised(
    weights: Path, tmp_path: Path, under: str, wrapper: str
) -> None:
    expected = _f0(weights)
    tensors = torch.load(weights, weights_only=True)
    wrapped = {f"{wrapper}{name}": tensor for name, tensor in tensors.items()}
    torch.save({"step": 7, under: wrapped}, tmp_path / "step.pt")
    assert _card(tmp_path / "step.pt") is not None
    np.testing.assert_array_equal(_f0(tmp_path / "step.pt"), expected)


def test_converted_file_gives_the_same_f0(weights: Path, tmp_path: Path) -> None:
    tensors, card = KIND.convert(weights, open_archive(weights))
    path = tmp_path / "rmvpe.safetensors"
    save_file(tensors, path, {"voicegraph": card.model_dump_json()})
    assert _card(path) == card
    np.testing.assert_array_equal(_f0(path), _f0(weights))


def test_other_files_are_of_another_kind(tmp_path: Path) -> None:
    torch.save({"emb_g.weight": torch.zeros(1, 4)}, tmp_path / "other.pt")
    assert _card(tmp_path / "other.pt") is None
    assert KIND.card(tmp_path / "x.index", None) is None
    with pytest.raises(WeightsError, match=r"other\.pt is .* an RMVPE pitch model is expected"):
        KIND.convert(tmp_path / "other.pt", open_archive(tmp_path / "other.pt"))


def test_another_model_is_named_in_the_error(tmp_path: Path) -> None:
    rvc_example.write(tmp_path)
    with pytest.raises(WeightsError) as caught:
        sizes_of(open_archive(tmp_path / "voice.pth"))
    (problem,) = caught.value.problems
    assert problem.code == "wrong-kind"
    assert "voice.pth is an RVC voice, but an RMVPE pitch model is expected" in problem.message
    assert problem.fix == "--set assets.rmvpe=PATH   (a file such as rmvpe.pt)"


def test_card_without_its_network_is_broken(weights: Path, tmp_path: Path) -> None:
    tensors, card = KIND.convert(weights, open_archive(weights))
    del tensors[MARKER]
    path = tmp_path / "rmvpe.safetensors"
    save_file(tensors, path, {"voicegraph": card.model_dump_json()})
    with pytest.raises(WeightsError, match=f"pitch model, but it has no tensor {MARKER}"):
        identify(path)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("fc.1.weight", (300, 8), "has 128 mel bands and 300 bins, expected 128 and 360"),
        ("fc.0.gru.weight_ih_l0", (12, 80), "has 80 mel bands"),
    ],
)
def test_other_sizes_are_described_but_refused(
    weights: Path, name: str, shape: tuple[int, ...], message: str
) -> None:
    tensors = torch.load(weights, weights_only=True)
    torch.save({**tensors, name: torch.zeros(shape)}, weights)
    found = _card(weights)
    assert found is not None
    assert message in found.unusable
    with pytest.raises(WeightsError, match=message):
        sizes_of(open_archive(weights))


def test_tensors_decide_what_a_card_contradicts(weights: Path, tmp_path: Path) -> None:
    tensors, card = KIND.convert(weights, open_archive(weights))
    wrong = card.model_copy(update={"bins": 7, "parameters": 7})
    path = tmp_path / "rmvpe.safetensors"
    save_file(tensors, path, {"voicegraph": wrong.model_dump_json()})
    found = _card(path)
    assert found is not None
    assert found.model_copy(update={"remarks": ()}) == card
    assert "its card states bins 7; its tensors show 360" in found.remarks


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("fc.0.gru.weight_hh_l0", (12,), "fewer axes"),
        ("fc.0.gru.weight_hh_l0", (12, 0), "its size hidden is 0, expected 1 to 8192"),
        ("unet.encoder.layers.0.conv.0.conv.0.weight", (5000, 1), "its size channels is 5000"),
        ("cnn.weight", None, "has no tensor 'cnn.weight'"),
    ],
)
def test_broken_files_are_recognised_by_their_header(
    weights: Path, name: str, shape: tuple[int, ...] | None, message: str
) -> None:
    tensors = torch.load(weights, weights_only=True)
    if shape is None:
        del tensors[name]
    else:
        tensors[name] = torch.zeros(shape)
    torch.save(tensors, weights)
    with pytest.raises(WeightsError, match=message):
        _card(weights)
