"""Files of encoders: every form gives the same network, and what is none is told what it is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from voicegraph.graph.errors import WeightsError
from voicegraph.graph.files.models import open_archive
from voicegraph.nodes.content._hubert_weights import build_hubert
from voicegraph.nodes.content.encoder_file import KIND, EncoderFile, open_encoder
from voicegraph.nodes.content.hubert_example import SIZES, tensors, write
from voicegraph.nodes.f0 import _rmvpe_example as rmvpe_example
from voicegraph.schemas.encoder_card import EncoderCard

CPU = torch.device("cpu")
CONFIG = {"model_type": "hubert", "num_attention_heads": SIZES.heads, "hidden_act": "gelu"}
Tensors = dict[str, torch.Tensor]
Rename = Callable[[Tensors], Tensors]


def _folder(
    path: Path, weights: Tensors, config: dict[str, Any] | None = None, name: str = "bin"
) -> Path:
    """A folder as Hugging Face writes it."""
    path.mkdir()
    if name == "bin":
        torch.save(weights, path / "pytorch_model.bin")
    else:
        save_file(weights, path / "model.safetensors")
    (path / "config.json").write_text(json.dumps(CONFIG | (config or {})))
    return path


def _features(found: EncoderFile) -> torch.Tensor:
    audio = torch.randn(1, 3200, generator=torch.Generator().manual_seed(5))
    return build_hubert(found, 2, True)(audio)


def _refused(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        open_encoder(path)
    assert str(path) in str(caught.value)
    assert "fix: " in str(caught.value)
    return str(caught.value)


def test_every_file_format_gives_the_same_bits(
    tmp_path: Path, hugging_face: Rename, fairseq: Rename, save_fairseq: Callable[..., None]
) -> None:
    weights = tensors()
    named = hugging_face(weights)
    older = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for name, tensor in named.items()
    }
    inside = {
        name if name.startswith("final_proj") else f"hubert.{name}": tensor
        for name, tensor in named.items()
    }
    extras = {
        "mask_emb": torch.zeros(SIZES.hidden),
        "label_embs_concat": torch.zeros(4, 8),
        "lm_head.weight": torch.zeros(5, SIZES.hidden),
    }
    paths = [
        _folder(tmp_path / "new", named | extras),
        _folder(tmp_path / "old", older),
        _folder(tmp_path / "inside", inside | extras, name="safetensors"),
        tmp_path / "hubert_base.pt",
        tmp_path / "converted.safetensors",
    ]
    save_fairseq(fairseq(weights) | extras, paths[3], encoder_attention_heads=SIZES.heads)
    write(paths[4])
    files = [open_encoder(path) for path in paths]
    cards = [KIND.card(path, open_archive(path)) for path in paths]
    expected = _features(files[0])
    fingerprints: set[str] = set()
    for found, its_card in zip(files, cards, strict=True):
        assert found.sizes == SIZES
        assert torch.equal(_features(found), expected)
        assert isinstance(its_card, EncoderCard)
        fingerprints.add(its_card.fingerprint)
        assert its_card.parameters == sum(tensor.numel() for tensor in weights.values())
    assert len(fingerprints) == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_conversion_changes_nothing(
    dtype: torch.dtype, tmp_path: Path, hugging_face: Rename
) -> None:
    stored = {name: tensor.to(dtype) for name, tensor in hugging_face(tensors()).items()}
    folder = _folder(tmp_path / "folder", stored)
    made, its_card = KIND.convert(folder, open_archive(folder))
    path = tmp_path / "converted.safetensors"
    save_file(made, path, {"voicegraph": its_card.model_dump_json()})
    assert {tensor.dtype for tensor in made.values()} == {dtype}
    assert torch.equal(_features(open_encoder(path)), _features(open_encoder(folder)))
    assert KIND.card(path, open_archive(path)) == its_card
    again, same_card = KIND.convert(path, open_archive(path))
    assert same_card == its_card
    assert again.keys() == made.keys()
    assert all(torch.equal(again[name], made[name]) for name in made)


def test_card_describes_the_encoder(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    write(path)
    found = KIND.card(path, open_archive(path))
    assert isinstance(found, EncoderCard)
    assert found.model_dump() == {
        "kind": "content-encoder",
        "title": "small",
        "licence": "",
        "source": "small.safetensors",
        "family": "hubert-base",
        "sample_rate": 16000,
        "rate": 50,
        "hidden": 32,
        "layers": 2,
        "heads": 2,
        "projection": 8,
        "parameters": sum(tensor.numel() for tensor in tensors().values()),
        "fingerprint": found.fingerprint,
        "remarks": (),
        "unusable": "",
    }


def test_fingerprint_depends_on_encoder_but_not_precision(
    tmp_path: Path, hugging_face: Rename
) -> None:
    def found(name: str, weights: Tensors) -> str:
        folder = _folder(tmp_path / name, hugging_face(weights))
        its_card = KIND.card(folder, open_archive(folder))
        assert isinstance(its_card, EncoderCard)
        return its_card.fingerprint

    one = found("one", tensors())
    assert found("half", {name: tensor.half() for name, tensor in tensors().items()}) == one
    trained = tensors()
    trained["layers.0.norm.bias"] += 0.01
    assert found("trained", trained) != one


def test_stated_fields_of_a_card_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    write(path)
    its_card = KIND.card(path, open_archive(path))
    assert its_card is not None
    own = its_card.model_copy(update={"title": "Mine", "licence": "MIT", "source": "a page"})
    save_file(tensors(), path, {"voicegraph": own.model_dump_json()})
    assert KIND.card(path, open_archive(path)) == own


def test_tensors_decide_what_a_card_contradicts(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    write(path)
    its_card = KIND.card(path, open_archive(path))
    assert its_card is not None
    wrong = its_card.model_copy(update={"fingerprint": "0" * 16})
    save_file(tensors(), path, {"voicegraph": wrong.model_dump_json()})
    found = KIND.card(path, open_archive(path))
    assert found is not None
    assert found.model_copy(update={"remarks": ()}) == its_card
    assert "its card states fingerprint 0000000000000000" in found.remarks[0]


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"hidden_size": 1024}, "hidden_size 1024; its tensors show 32"),
        ({"num_hidden_layers": "24"}, "num_hidden_layers 24; its tensors show 2"),
        ({"feat_extract_norm": "layer"}, "feat_extract_norm layer; its tensors show group"),
        ({"conv_bias": True}, "conv_bias True; its tensors show False"),
    ],
)
def test_tensors_decide_what_settings_contradict(
    tmp_path: Path, hugging_face: Rename, stated: dict[str, Any], said: str
) -> None:
    folder = _folder(tmp_path / "folder", hugging_face(tensors()), stated)
    assert open_encoder(folder).sizes == SIZES
    found = KIND.card(folder, open_archive(folder))
    assert found is not None
    assert any(said in remark for remark in found.remarks)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.encoder_ema.", "a.b.module."])
def test_prefixes_of_names_are_understood(
    tmp_path: Path, hugging_face: Rename, prefix: str
) -> None:
    wrapped = {f"{prefix}{name}": tensor for name, tensor in hugging_face(tensors()).items()}
    folder = _folder(tmp_path / "folder", hugging_face(tensors()))
    found = open_encoder(_folder(tmp_path / "wrapped", wrapped))
    assert torch.equal(_features(found), _features(open_encoder(folder)))
    middle = {
        name.replace("layers.1.", "layers.1._fsdp_wrapped_module."): tensor
        for name, tensor in hugging_face(tensors()).items()
    }
    found = open_encoder(_folder(tmp_path / "middle", middle))
    assert torch.equal(_features(found), _features(open_encoder(folder)))


@pytest.mark.parametrize("heads", [np.int64(4), np.array(4), 4.0, "4", torch.tensor(4)])
def test_numbers_of_any_type_are_heads(
    tmp_path: Path, fairseq: Rename, save_fairseq: Callable[..., None], heads: object
) -> None:
    path = tmp_path / "hubert.pt"
    save_fairseq(fairseq(tensors()), path, encoder_attention_heads=heads)
    assert open_encoder(path).sizes.heads == 4


def test_card_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_file(tensors(), path, {"voicegraph": '{"kind": "content-encoder", "colour": "blue"}'})
    assert "its card is not understood" in _refused(path)


def test_encoder_without_projection_is_recognised(tmp_path: Path, hugging_face: Rename) -> None:
    weights = {k: v for k, v in hugging_face(tensors()).items() if not k.startswith("final_proj")}
    folder = _folder(tmp_path / "folder", weights)
    assert open_encoder(folder).sizes == dataclasses.replace(SIZES, projection=None)


def test_heads_have_64_channels_unless_stated(tmp_path: Path, hugging_face: Rename) -> None:
    sizes = dataclasses.replace(SIZES, hidden=128, heads=2)
    path = tmp_path / "encoder.pth"
    torch.save(hugging_face(tensors(sizes)), path)
    assert open_encoder(path).sizes == sizes
    folder = _folder(tmp_path / "folder", hugging_face(tensors(sizes)), {"num_attention_heads": 8})
    assert open_encoder(folder).sizes.heads == 8


def test_only_needed_tensors_are_read(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    write(path)
    found = open_encoder(path).read(layer=1, project=False)
    assert not any(name.startswith(("layers.1.", "head.")) for name in found)
    assert any(name.startswith("layers.0.") for name in found)


# ---- what is no such encoder ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"encoder.layers.1.final_layer_norm.bias": None}, "missing: layers.1.norm.bias [32]"),
        ({"feature_projection.projection.weight": None}, "it has no `projection.weight`"),
        (
            {"encoder.layers.0.attention.q_proj.weight": torch.zeros(31, 32)},
            "encoder.layers.0.attention.q_proj.weight: expected [32, 32], found [31, 32]",
        ),
        (
            {"encoder.layer_norm.bias": torch.zeros(32, dtype=torch.int8)},
            "encoder.layer_norm.bias: expected floating point, found torch.int8",
        ),
        (
            {"encoder.layers.0.attention.gru_rel_pos_const": torch.zeros(1)},
            "unexpected: encoder.layers.0.attention.gru_rel_pos_const",
        ),
        (
            {"feature_extractor.conv_layers.3.conv.bias": torch.zeros(16)},
            "unexpected: feature_extractor.conv_layers.3.conv.bias",
        ),
        (
            {"feature_extractor.conv_layers.1.layer_norm.weight": torch.zeros(16)},
            "as in HuBERT large; supported is base",
        ),
        (
            {"encoder.layers.7.final_layer_norm.bias": torch.zeros(32)},
            "layer 3 is not in it, but later ones are",
        ),
        (
            {"feature_projection.projection.weight": torch.zeros(30, 16)},
            "30 channels cannot be split into groups of 8",
        ),
        (
            {"feature_extractor.conv_layers.0.conv.weight": torch.zeros(16, 1)},
            "its `convs.0.weight` has shape [16, 1], expected 3 sizes above 0",
        ),
    ],
)
def test_other_tensors_are_refused(
    change: dict[str, torch.Tensor | None], words: str, tmp_path: Path, hugging_face: Rename
) -> None:
    weights = hugging_face(tensors()) | change
    kept = {name: tensor for name, tensor in weights.items() if tensor is not None}
    message = _refused(_folder(tmp_path / "folder", kept))
    assert words in message
    assert "not like HuBERT base" in message


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"do_stable_layer_norm": True}, "do_stable_layer_norm is True, expected False"),
        ({"hidden_act": "relu"}, "hidden_act is relu, expected gelu"),
        ({"num_attention_heads": 5}, "its width of 32 cannot be split into 5 attention heads"),
        ({"num_attention_heads": None}, "32 is no multiple of 64, and nothing in it says"),
    ],
)
def test_other_settings_are_refused(
    config: dict[str, Any], words: str, tmp_path: Path, hugging_face: Rename
) -> None:
    folder = _folder(tmp_path / "folder", hugging_face(tensors()), config)
    assert words in _refused(folder)


def test_another_architecture_is_described_but_refused(
    tmp_path: Path, hugging_face: Rename
) -> None:
    """As WavLM: all tensors of HuBERT base, and further ones."""
    more = {"encoder.layers.0.attention.gru_rel_pos_const": torch.zeros(1)}
    folder = _folder(tmp_path / "folder", hugging_face(tensors()) | more, {"conv_bias": True})
    card = KIND.card(folder, open_archive(folder))
    assert isinstance(card, EncoderCard)
    assert (card.hidden, card.layers, card.remarks) == (32, 2, ())
    assert card.unusable.startswith("not like HuBERT base; unexpected: encoder.layers.0")
    assert "not like HuBERT base" in _refused(folder)


def test_fairseq_settings_are_read(
    tmp_path: Path, fairseq: Rename, save_fairseq: Callable[..., None]
) -> None:
    path = tmp_path / "large.pt"
    save_fairseq(fairseq(tensors()), path, layer_norm_first=True, encoder_attention_heads=2)
    assert "layer_norm_first is True, expected False" in _refused(path)


def test_further_mismatches_are_counted(tmp_path: Path, hugging_face: Rename) -> None:
    weights = {k: v for k, v in hugging_face(tensors()).items() if "attention" not in k}
    message = _refused(_folder(tmp_path / "folder", weights))
    assert message.count("missing: ") == 8
    assert "and 8 more" in message


def test_pitch_model_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "rmvpe.pt"
    rmvpe_example.write(path)
    message = _refused(path)
    assert "is an RMVPE pitch model, but a content encoder" in message
    assert "voicegraph inspect" in message
    assert "fix: assets.hubert: " in message
    assert KIND.card(path, open_archive(path)) is None


def test_unknown_network_is_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"layer.weight": torch.zeros(3)}, path)
    assert "is a file of 1 tensors of unknown kind" in _refused(path)
    with pytest.raises(WeightsError, match="but a content encoder"):
        KIND.convert(path, open_archive(path))


def test_other_formats_are_named_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "hubert_base.pt"
    path.write_text("<!DOCTYPE html><html>log in first</html>")
    message = _refused(path)
    assert "a web page" in message
    assert "a content encoder (HuBERT base or ContentVec) is expected" in message


def test_truncated_download_is_named_in_the_error(tmp_path: Path, fairseq: Rename) -> None:
    path = tmp_path / "hubert_base.pt"
    torch.save({"model": fairseq(tensors())}, path)
    path.write_bytes(path.read_bytes()[:-3000])
    assert "again" in _refused(path)


def test_nan_is_refused(tmp_path: Path, hugging_face: Rename) -> None:
    weights = tensors()
    weights["layers.1.up.bias"][3] = float("nan")
    folder = _folder(tmp_path / "folder", hugging_face(weights))
    with pytest.raises(WeightsError, match="NaN"):
        open_encoder(folder).read(2, False)
