"""Files of source-filter voices: what is read, and every way in which they may be wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import WeightsError
from voicegraph.graph.files.models import identify
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.retrieval.index_file import locate
from voicegraph.nodes.retrieval.index_search import open_index
from voicegraph.nodes.synth import _source_filter_example as example
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth.source_filter_file import load_source_filter, open_source_filter
from voicegraph.schemas.source_filter_card import SourceFilterCard


@pytest.fixture
def held() -> dict[str, torch.Tensor]:
    return {**example.weights(), "index": example.index()}


def _refused(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        load_source_filter(path)
    return str(caught.value)


def test_complete_voice_is_recognised_and_loaded(
    tmp_path: Path, held: dict[str, torch.Tensor]
) -> None:
    path = example.save(tmp_path / "v.safetensors", held, example.card())
    found = identify(path)
    assert found.kind is not None
    assert found.kind.name == "source-filter-voice"
    assert isinstance(found.card, SourceFilterCard)
    assert found.card == example.card()
    assert found.card.headline == "8000 Hz, around 190 Hz, 200 vectors for retrieval"
    network = load_source_filter(path)
    torch.testing.assert_close(network.first.weight, held["first.weight"].float())
    assert not network.first.weight.requires_grad


def test_index_of_the_voice_can_be_searched(tmp_path: Path, held: dict[str, torch.Tensor]) -> None:
    path = example.save(tmp_path / "v.safetensors", held, example.card())
    located = locate(path)
    assert located is not None
    assert located.layout.vectors == example.VECTORS
    distances, vectors = open_index(path, None).search(np.ones((1, 8), np.float32), 3)
    assert vectors.shape == (1, 3, 8)
    np.testing.assert_allclose(((vectors[0] - 1) ** 2).sum(1), distances[0], rtol=1e-5)
    nodes = {
        "content": {"use": "io.vectors", "params": {"rate": 100, "dim": 8}},
        "near": {"use": "retrieval.faiss", "in": "content", "params": {"index": str(path)}},
    }
    Pipeline(block="40ms", input={"rate": 16000}, nodes=nodes, output="near").compile()


def test_voice_without_an_index_is_valid(tmp_path: Path) -> None:
    path = example.save(tmp_path / "v.safetensors", example.weights(), example.card(vectors=0))
    assert open_source_filter(path)[1].headline == "8000 Hz, around 190 Hz"
    assert locate(path) is None


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    rvc_example.write(tmp_path)
    assert "is an RVC voice, but a source-filter voice is expected" in _refused(
        tmp_path / "voice.pth"
    )


def test_tensor_of_another_shape_is_refused(tmp_path: Path, held: dict[str, torch.Tensor]) -> None:
    held["last.weight"] = torch.zeros(3, 12).half()
    del held["norm.bias"]
    said = _refused(example.save(tmp_path / "v.safetensors", held, example.card()))
    assert "last.weight: expected [20, 12], found [3, 12]" in said
    assert "missing: norm.bias [12]" in said


def test_integer_weights_are_refused(tmp_path: Path, held: dict[str, torch.Tensor]) -> None:
    held["norm.bias"] = torch.zeros(12, dtype=torch.int32)
    said = _refused(example.save(tmp_path / "v.safetensors", held, example.card()))
    assert "norm.bias: expected floating point, found int32" in said


def test_nan_in_weights_is_refused(tmp_path: Path, held: dict[str, torch.Tensor]) -> None:
    held["norm.bias"][3] = torch.nan
    said = _refused(example.save(tmp_path / "v.safetensors", held, example.card()))
    assert "norm.bias" in said
    assert "NaN" in said


def test_truncated_voice_is_refused(tmp_path: Path, held: dict[str, torch.Tensor]) -> None:
    path = example.save(tmp_path / "v.safetensors", held, example.card())
    path.write_bytes(path.read_bytes()[:-100])
    assert "its safetensors header is not valid" in _refused(path)


def test_tensors_decide_what_a_card_contradicts(
    tmp_path: Path, held: dict[str, torch.Tensor]
) -> None:
    card = example.card(parameters=1, vectors=7)
    _, found = open_source_filter(example.save(tmp_path / "a.safetensors", held, card))
    plain = example.card()
    assert (found.parameters, found.vectors) == (plain.parameters, plain.vectors)
    assert "its card states vectors 7; its tensors show 200" in found.remarks
    del held["index"]
    _, found = open_source_filter(example.save(tmp_path / "c.safetensors", held, plain))
    assert found.vectors == 0
    assert found.remarks == ("its card states vectors 200; its tensors show 0",)


def test_index_must_be_of_the_voices_width(tmp_path: Path, held: dict[str, torch.Tensor]) -> None:
    held["index"] = example.index(9)
    said = _refused(example.save(tmp_path / "v.safetensors", held, example.card()))
    assert "its index holds vectors of 9 values, not 8" in said


@pytest.mark.parametrize("prefix", ["module.", "model._orig_mod."])
def test_prefixes_of_names_are_understood(
    tmp_path: Path, held: dict[str, torch.Tensor], prefix: str
) -> None:
    plain = example.save(tmp_path / "v.safetensors", held, example.card())
    wrapped = {name if name == "index" else f"{prefix}{name}": held[name] for name in held}
    path = example.save(tmp_path / "wrapped.safetensors", wrapped, example.card())
    assert open_source_filter(path)[1] == open_source_filter(plain)[1]
    expected = load_source_filter(plain).state_dict()
    found = load_source_filter(path).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_damaged_index_is_refused(tmp_path: Path, held: dict[str, torch.Tensor]) -> None:
    held["index"] = held["index"][:50].clone()
    assert "index" in _refused(example.save(tmp_path / "v.safetensors", held, example.card()))


def test_huge_sizes_are_refused_before_allocation(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="less than or equal to 4096"):
        example.SIZES.model_validate({**example.SIZES.model_dump(), "channels": 10**6})


@pytest.mark.parametrize("prefix", ["", "network.", "network.module."])
def test_weights_of_a_training_are_named(
    tmp_path: Path, held: dict[str, torch.Tensor], prefix: str
) -> None:
    torch.save({f"{prefix}{name}": held[name] for name in held}, tmp_path / "checkpoint.pt")
    said = _refused(tmp_path / "checkpoint.pt")
    assert "weights of a source-filter voice, without the card" in said
    assert "`voicegraph voice make` writes at the end" in said
