"""Files of phonetic encoders: what is told of them, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from voicegraph.graph.errors import WeightsError
from voicegraph.graph.files.models import identify, open_archive
from voicegraph.nodes.content._phonetic_example import SIZES, tensors, write
from voicegraph.nodes.content.encoder_file import open_encoder
from voicegraph.nodes.content.phonetic_file import (
    KIND,
    describe,
    load_phonetic,
    open_phonetic,
)
from voicegraph.schemas.card import METADATA_KEY
from voicegraph.schemas.phonetic_card import PhoneticCard

SHIPPED = Path(__file__).resolve().parents[3] / "pipelines" / "models" / "phonetic.safetensors"


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    write(tmp_path / "encoder.safetensors")
    return tmp_path / "encoder.safetensors"


def _saved(path: Path, held: dict[str, torch.Tensor], **changes: object) -> Path:
    numbers = sum(tensor.numel() for tensor in held.values())
    card = describe(SIZES, tensors(), numbers, tuple("aeiou_"))
    text = card.model_copy(update=changes).model_dump_json()
    save_file({k: v.contiguous() for k, v in held.items()}, path, {METADATA_KEY: text})
    return path


def test_card_of_the_bundled_encoder() -> None:
    found = identify(SHIPPED)
    card = found.card
    assert isinstance(card, PhoneticCard)
    assert found.kind == KIND
    assert card.headline == "144 values at 50 Hz, 4 blocks"
    assert (card.hidden, card.blocks, card.heads, card.parameters) == (144, 4, 4, 2_020_175)
    assert len(card.tokens) == 191
    assert card.tokens[-2:] == ("<wb>", "<blank>")
    assert "Apache-2.0" in card.licence
    assert "hama 1.7.0" in card.source
    assert card.training_data.startswith("the teacher's: undocumented")
    assert "LibriSpeech" in card.training_data
    assert card.unstated == {}
    assert SHIPPED.stat().st_size < 4_200_000


def test_features_of_the_bundled_encoder_are_identified() -> None:
    _, card = open_phonetic(SHIPPED)
    assert card.giving(144).facts() == {
        "family": "phonetic-conformer",
        "fingerprint": "f60bf18996571152",
        "layer": 3,
    }
    assert card.identity(4).facts()["layer"] == 4
    with pytest.raises(ValueError, match="its features are of width 144, and not 768"):
        card.giving(768)


def test_float16_has_the_same_fingerprint(encoder: Path, tmp_path: Path) -> None:
    half = {name: tensor.half() for name, tensor in load_file(encoder).items()}
    _, card = open_phonetic(_saved(tmp_path / "half.safetensors", half))
    assert card.fingerprint == open_phonetic(encoder)[1].fingerprint
    write(tmp_path / "other.safetensors", seed=2)
    assert card.fingerprint != open_phonetic(tmp_path / "other.safetensors")[1].fingerprint
    assert load_phonetic(tmp_path / "half.safetensors").stem.weight.dtype == torch.float32


def test_converting_again_changes_nothing(encoder: Path) -> None:
    held, card = KIND.convert(encoder, open_archive(encoder))
    assert card == open_phonetic(encoder)[1]
    assert all(torch.equal(tensor, held[name]) for name, tensor in tensors().items())


def _without(name: str) -> dict[str, torch.Tensor]:
    return {k: v for k, v in tensors().items() if k != name}


@pytest.mark.parametrize(
    ("held", "changes", "said"),
    [
        (_without("stem.bias"), {}, "it has no tensor stem.bias"),
        (_without("filters"), {}, "it has no tensor 'filters'"),
        (tensors() | {"filters": torch.tensor(1.0)}, {}, "fewer axes than it should"),
        (tensors(), {"heads": 3}, "its width of 16 cannot be split into 3 attention heads"),
        (
            tensors() | {"stem.weight": torch.zeros(5000, 1, 1)},
            {},
            "its size hidden is 5000",
        ),
    ],
)
def test_broken_files_are_errors(
    tmp_path: Path, held: dict[str, torch.Tensor], changes: dict[str, object], said: str
) -> None:
    path = _saved(tmp_path / "broken.safetensors", held, **changes)
    with pytest.raises(WeightsError, match=said):
        open_phonetic(path)


@pytest.mark.parametrize(
    ("held", "changes", "said"),
    [
        (tensors(), {"parameters": 7}, "its card states parameters 7"),
        (tensors(seed=2), {}, "its card states fingerprint"),
    ],
)
def test_tensors_decide_what_a_card_contradicts(
    tmp_path: Path, held: dict[str, torch.Tensor], changes: dict[str, object], said: str
) -> None:
    _, card = open_phonetic(_saved(tmp_path / "edited.safetensors", held, **changes))
    (remark,) = card.remarks
    assert said in remark
    _, plain = open_phonetic(_saved(tmp_path / "plain.safetensors", tensors()))
    assert (card.parameters, card.fingerprint != plain.fingerprint) == (
        plain.parameters,
        "fingerprint" in said,
    )


@pytest.mark.parametrize("prefix", ["module.", "model._orig_mod."])
def test_prefixes_of_names_are_understood(encoder: Path, tmp_path: Path, prefix: str) -> None:
    wrapped = {f"{prefix}{name}": tensor for name, tensor in tensors().items()}
    path = _saved(tmp_path / "wrapped.safetensors", wrapped)
    card = open_phonetic(path)[1]
    assert not card.remarks
    assert card.fingerprint == open_phonetic(encoder)[1].fingerprint
    expected = load_phonetic(encoder).state_dict()
    found = load_phonetic(path).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_missing_tensor_is_named_when_read(tmp_path: Path) -> None:
    path = _saved(tmp_path / "short.safetensors", _without("blocks.1.after.up.bias"))
    with pytest.raises(WeightsError, match="not those of a phonetic encoder") as caught:
        load_phonetic(path)
    assert "missing: blocks.1.after.up.bias [24]" in str(caught.value)


def test_other_files_are_named_in_the_error(encoder: Path, tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(WeightsError, match="but a phonetic encoder is expected"):
        open_phonetic(tmp_path / "a.safetensors")
    with pytest.raises(
        WeightsError, match=r"is a phonetic encoder, but a content encoder \(HuBERT"
    ):
        open_encoder(encoder)


def test_unknown_card_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "new.safetensors"
    save_file(tensors(), path, {METADATA_KEY: '{"kind": "phonetic-encoder", "colour": "blue"}'})
    with pytest.raises(WeightsError, match="its card is not understood"):
        open_phonetic(path)


@pytest.mark.parametrize("wrap", [lambda held: held, lambda held: {"model": held, "step": 7}])
def test_weights_of_a_training_are_named(tmp_path: Path, wrap: Any) -> None:
    torch.save(wrap(tensors()), tmp_path / "checkpoint.pt")
    with pytest.raises(WeightsError, match="weights of a phonetic encoder, without the card"):
        open_phonetic(tmp_path / "checkpoint.pt")
