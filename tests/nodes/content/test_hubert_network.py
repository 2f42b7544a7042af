"""Numbers of the network: by the book on small ones, by the reference on full-size ones."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.nodes.content import _hubert_network as hubert_network
from voicegraph.nodes.content._hubert_network import HubertNetwork
from voicegraph.nodes.content._hubert_weights import arranged, assemble
from voicegraph.nodes.content.encoder_file import open_encoder
from voicegraph.nodes.content.hubert_example import SIZES, tensors
from voicegraph.nodes.content.hubert_sizes import HubertSizes
from voicegraph.nodes.layers.form import PACKED_FLOAT32, PLAIN_FLOAT32, Form, plain
from voicegraph.nodes.layers.network import form_for, into_form
from voicegraph.nodes.layers.packed import can_pack

from ...tolerance import FULL_NETWORK, SMALL_NETWORK, Tolerance, assert_close, assert_rounded

pytestmark = pytest.mark.numeric

REFERENCE = Path(__file__).parents[2] / "data" / "reference"
CPU = torch.device("cpu")
OTHERS = (
    SIZES,
    dataclasses.replace(SIZES, channels=(8, 24, 16, 16, 16, 16, 20), groups=1, heads=4),
    dataclasses.replace(SIZES, taps=15, groups=32, heads=1, inner=20, projection=5),
    dataclasses.replace(SIZES, kernels=(7, 4, 2, 3, 5, 1, 3), layers=3),
)
Book = Callable[..., torch.Tensor]


def _network(
    weights: dict[str, torch.Tensor],
    sizes: HubertSizes,
    layer: int,
    project: bool,
    form: Form | None = None,
    device: torch.device = CPU,
) -> HubertNetwork:
    made = assemble(weights, sizes, layer, project)
    return into_form(made, device, form or form_for(HubertNetwork, device, torch.float32))


def _speech(streams: int, samples: int) -> torch.Tensor:
    """Noise whose level differs from stream to stream, on top of an offset."""
    noise = torch.randn(streams, samples, generator=torch.Generator().manual_seed(samples))
    return noise * torch.tensor([0.3, 0.003, 1e-5])[:streams, None] + 0.01


def _close(
    found: torch.Tensor, expected: torch.Tensor, tolerance: Tolerance = SMALL_NETWORK
) -> None:
    assert found.dtype is torch.float32
    assert_close(found, expected, tolerance)


@pytest.mark.parametrize("form", [PLAIN_FLOAT32, PACKED_FLOAT32], ids=str)
@pytest.mark.parametrize("sizes", OTHERS, ids=range(len(OTHERS)))
def test_is_the_network_of_the_papers(sizes: HubertSizes, form: Form, by_the_book: Book) -> None:
    if form == PACKED_FLOAT32 and not can_pack(CPU, torch.float32):
        pytest.skip("needs oneDNN's own operators on x86")
    weights = tensors(sizes, seed=3)
    short = sizes.field
    for layer, project, samples in ((1, True, short), (2, False, 5280), (sizes.layers, True, 9999)):
        audio = _speech(3, samples)
        found = _network(weights, sizes, layer, project, form)(audio)
        assert found.shape[1] == sizes.frames(samples) > 0
        _close(found, by_the_book(weights, sizes, audio, layer, project))


@pytest.mark.parametrize("capability", ["AVX2", "AVX512"])
def test_both_ways_of_the_packed_convolutions_are_the_plain_one(
    capability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_pack(CPU, torch.float32):
        pytest.skip("needs oneDNN's own operators on x86")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    weights, audio = tensors(), _speech(3, 5280)
    found = _network(weights, SIZES, 2, True, PACKED_FLOAT32)
    direct = isinstance(found.convs[0], hubert_network.DirectFrameConvolution)
    assert direct == (capability == "AVX2")
    _close(found(audio), _network(weights, SIZES, 2, True, PLAIN_FLOAT32)(audio))


def test_silence_is_no_division_by_zero(by_the_book: Book) -> None:
    weights, audio = tensors(), torch.zeros(1, 1600)
    _close(_network(weights, SIZES, 2, True)(audio), by_the_book(weights, SIZES, audio, 2, True))


def test_streams_do_not_touch_each_other() -> None:
    network, audio = _network(tensors(), SIZES, 2, False), _speech(3, 3200)
    together = network(audio)
    for i in range(3):
        _close(network(audio[i : i + 1]), together[i : i + 1])


def test_long_windows_in_pieces_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network, audio = _network(tensors(), SIZES, 2, False), _speech(2, 16000)
    whole = network(audio)
    for piece in (1, 7, 48):
        monkeypatch.setattr(hubert_network, "PIECE", piece)
        _close(network(audio), whole)


def test_packing_keeps_no_plain_weights_of_products() -> None:
    if not can_pack(CPU, torch.float32):
        pytest.skip("needs oneDNN's own operators on x86")
    made = _network(tensors(), SIZES, 2, True, PACKED_FLOAT32)
    weights = [name for name, _ in made.named_parameters() if name.endswith(".weight")]
    left = {name.split(".")[-2] for name in weights}
    assert left == {"first", "norm", "features_norm", "attention_norm"}


def test_missing_later_layers_are_not_needed() -> None:
    weights, audio = tensors(), _speech(1, 3200)
    fewer = {k: v for k, v in weights.items() if not k.startswith(("layers.1.", "head."))}
    assert torch.equal(
        _network(fewer, SIZES, 1, False)(audio), _network(weights, SIZES, 1, False)(audio)
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_near(dtype: torch.dtype) -> None:
    weights, audio = tensors(), _speech(2, 3200)
    expected = _network(weights, SIZES, 2, True)(audio)
    found = _network(weights, SIZES, 2, True, plain(dtype))(audio)
    assert found.dtype is torch.float32
    # Convolution and activation seven times, four steps to the layers, 14 in each, and the head.
    assert_rounded(found, expected, dtype, 14 + 4 + 2 * 14 + 2)


def test_folded_weight_norm_is_taken_as_it_is() -> None:
    weights, audio = tensors(), _speech(1, 3200)
    folded = {k: v for k, v in weights.items() if not k.startswith("position.weight")}
    folded["position.weight"] = arranged(weights)["position.weight"]
    _close(_network(folded, SIZES, 2, True)(audio), _network(weights, SIZES, 2, True)(audio))


def _features(path: Path, audio: np.ndarray, layer: int, project: bool) -> np.ndarray:
    found = open_encoder(path)
    weights = found.read(layer, project)
    with torch.inference_mode():
        network = _network(weights, found.sizes, layer, project)
        return network(torch.from_numpy(audio)[None])[0].numpy()


def _compare(path: Path, reference: dict[str, Any]) -> None:
    audio = reference["audio_16k"]
    for name, layer, project in (("v1", 9, True), ("v2", 12, False)):
        assert_close(_features(path, audio, layer, project), reference[name], FULL_NETWORK)


def _shapes(name: str) -> dict[str, list[int]]:
    return json.loads((REFERENCE / f"{name}.keys.json").read_text())


def test_reference_from_a_hugging_face_folder(filled: Callable[..., Any], tmp_path: Path) -> None:
    torch.save(filled(_shapes("hubert_hf")), tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text('{"num_attention_heads": 12, "conv_bias": false}')
    with np.load(REFERENCE / "hubert_hf.npz") as reference:
        _compare(tmp_path, dict(reference))


def test_reference_from_a_fairseq_checkpoint(
    filled: Callable[..., Any], save_fairseq: Callable[..., None], tmp_path: Path
) -> None:
    path = tmp_path / "hubert_base.pt"
    save_fairseq(filled(_shapes("hubert_fairseq")), path)
    with np.load(REFERENCE / "hubert_fairseq.npz") as reference:
        _compare(path, dict(reference))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("sizes", OTHERS, ids=range(len(OTHERS)))
def test_cuda_gives_the_same(sizes: HubertSizes) -> None:
    weights, audio = tensors(sizes), _speech(3, 5280)
    expected = _network(weights, sizes, 2, True)(audio)
    device = torch.device("cuda")
    moved = _network(weights, sizes, 2, True, PLAIN_FLOAT32, device)
    _close(moved(audio.cuda()).cpu(), expected)
