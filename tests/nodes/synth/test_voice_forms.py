"""Voices as other programs and people's scripts leave them, and files that are taken for voices."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from voicegraph.graph.files.models import Archive, TensorHeader, WeightsError, identify
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth.voice_file import KIND, VoiceFile, open_voice
from voicegraph.schemas.voice_card import VoiceCard, VoiceConfig

Tree = dict[str, Any]
CONFIG = rvc_example.CONFIG
DISCRIMINATOR = {f"discriminators.{i}.convs.0.bias": torch.zeros(2) for i in range(2)}
NAMES = list(VoiceConfig.model_fields)


@functools.cache
def _weights() -> dict[str, torch.Tensor]:
    return rvc_example.voice()["weight"]


def _held() -> Tree:
    """What the example's file holds; the tensors are shared by all tests."""
    return {"weight": dict(_weights()), "config": CONFIG, "version": "v2", "f0": 1}


def _voice(path: Path) -> VoiceFile:
    """The voice in a file, which must be the example's."""
    found = open_voice(path)
    card, tensors = found.card, found.tensors()
    assert (card.version, card.f0, card.rate, card.speakers) == ("v2", True, 16000, 3)
    assert tensors.keys() == _weights().keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in _weights().items())
    return found


def _saved(tree: object, path: Path) -> Path:
    torch.save(tree, path)
    return path


# ---- numbers of other types -----------------------------------------------------------------


def _numpy(value: Any) -> Any:
    if isinstance(value, list):
        return [_numpy(item) for item in value]
    return np.str_(value) if isinstance(value, str) else np.asarray(value)[()]


def _tensors(value: Any) -> Any:
    if isinstance(value, list):
        numbers = all(isinstance(item, int) for item in value)
        return torch.tensor(value) if numbers else [_tensors(item) for item in value]
    return value if isinstance(value, str) else torch.tensor(value)


CONVERSIONS: dict[str, Callable[[list[Any]], Any]] = {
    "numpy": _numpy,
    "tensors": _tensors,
    "tuple": tuple,
    "floats": lambda config: [float(v) if isinstance(v, int) else v for v in config],
    "text": lambda config: [v if isinstance(v, list) else str(v) for v in config],
    "arrays": lambda config: [np.array(v) if isinstance(v, list) else v for v in config],
    "object array": lambda config: np.array(config, dtype=object),
    "torch.Size": lambda config: [torch.Size(v) if v == CONFIG[12] else v for v in config],
    "resblock 1": lambda config: [*config[:9], 1, *config[10:]],
    "resblock 1.0": lambda config: [*config[:9], 1.0, *config[10:]],
    "rate 16k": lambda config: [*config[:17], "16k"],
    "JSON": json.dumps,
    "text of a list": str,
}


@pytest.mark.parametrize("form", CONVERSIONS)
def test_config_of_other_types(tmp_path: Path, form: str) -> None:
    held = {**_held(), "config": CONVERSIONS[form](list(CONFIG))}
    assert not _voice(_saved(held, tmp_path / "v.pth")).card.remarks


@pytest.mark.parametrize(
    ("f0", "version", "rate"),
    [
        (np.int64(1), np.str_("v2"), np.int64(16000)),
        (np.bool_(True), b"v2", "16 kHz"),
        (torch.tensor(1), np.int64(2), 16.0),
        (torch.tensor([1.0]), "2", torch.tensor(16000)),
        (1.0, "V2", "16k"),
        ("1", torch.tensor(2.0), "16000"),
    ],
)
def test_keys_of_other_types(tmp_path: Path, f0: object, version: object, rate: object) -> None:
    held = {**_held(), "f0": f0, "version": version, "sr": rate}
    assert not _voice(_saved(held, tmp_path / "v.pth")).card.remarks


def test_facts_of_other_types_are_shown(tmp_path: Path) -> None:
    held = {**_held(), "epoch": np.int64(200), "loss": torch.tensor(0.5)}
    card = _voice(_saved(held, tmp_path / "v.pth")).card
    assert (card.trained["epoch"], card.trained["loss"]) == ("200", "0.5")


# ---- prefixes and wrappers ------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "net_g.", "model.", "a.b.module."])
def test_prefixes_of_names(tmp_path: Path, prefix: str) -> None:
    held = _held()
    held["weight"] = {f"{prefix}{name}": tensor for name, tensor in held["weight"].items()}
    assert not _voice(_saved(held, tmp_path / "v.pth")).card.remarks


def test_wrappers_inside_of_names(tmp_path: Path) -> None:
    held = _held()
    held["weight"] = {
        name.replace("dec.", "dec._orig_mod.").replace("flow.flows", "flow.module.flows"): tensor
        for name, tensor in held["weight"].items()
    }
    _voice(_saved(held, tmp_path / "v.pth"))


def _around(key: str) -> Callable[[Tree], Tree]:
    return lambda held: {key: held.pop("weight"), **held}


@pytest.mark.parametrize(
    "wrap",
    [
        *map(_around, ("model", "state_dict", "net_g", "generator", "weights", "ema", "params")),
        lambda held: {"model": held},
        lambda held: {"checkpoint": {"voice": held}},
        lambda held: {**held.pop("weight"), **held},
        lambda held: {**held, "weight": {"module": held["weight"]}},
        lambda held: {**held, "weight": OrderedDict(held["weight"]), "optimizer": {"lr": 1}},
        lambda held: {"model": held.pop("weight"), "iteration": 7, "optimizer": {}, **held},
        lambda held: {"net_g": held.pop("weight"), "net_d": DISCRIMINATOR, **held},
    ],
)
def test_wrappers_of_the_state_dict(tmp_path: Path, wrap: Callable[[Tree], Tree]) -> None:
    assert not _voice(_saved(wrap(_held()), tmp_path / "v.pth")).card.remarks


def test_of_two_copies_the_running_mean_is_used(tmp_path: Path) -> None:
    held = _held()
    other = {name: tensor + 1 for name, tensor in held["weight"].items()}
    file = _saved({**held, "weight": other, "ema": held["weight"]}, tmp_path / "v.pth")
    (remark,) = _voice(file).card.remarks
    assert remark == "it holds several copies of the network: ema is used, not weight"


# ---- other programs -------------------------------------------------------------------------


@pytest.mark.parametrize("version", [True, False])
def test_19_entries_of_ddpn08(tmp_path: Path, version: bool) -> None:
    held = _held()
    held["config"] = [*CONFIG[:17], 768, CONFIG[17]]
    if not version:
        del held["version"]
    held |= {"embedder_name": "hubert_base768", "embedder_output_layer": 12, "speaker_info": {}}
    card = _voice(_saved(held, tmp_path / "v.pth")).card
    assert (card.encoder, card.layer, card.remarks) == ("hubert_base768", None, ())


def test_layer_of_ddpn08_is_that_of_its_features(tmp_path: Path) -> None:
    held = _held() | {"embedder_output_layer": np.int64(9)}
    card = _voice(_saved(held, tmp_path / "v.pth")).card
    assert card.features == (9, False)
    assert open_voice(_saved(_held(), tmp_path / "w.pth")).card.features == (12, False)


@pytest.mark.parametrize("prefix", ["", "weight.", "module."])
@pytest.mark.parametrize("facts", [{"version": "v2", "f0": "1", "sr": "16k"}, {"f0": "True"}, {}])
def test_safetensors_with_metadata(tmp_path: Path, prefix: str, facts: dict[str, str]) -> None:
    held = _held()
    path = tmp_path / "v.safetensors"
    weights = {f"{prefix}{name}": tensor for name, tensor in held["weight"].items()}
    save_file(weights, path, {"config": json.dumps(held["config"]), **facts})
    assert not _voice(path).card.remarks
    assert identify(path).kind is KIND


def _table(**changes: Any) -> Tree:
    return dict(zip(NAMES, CONFIG, strict=True)) | changes


@pytest.mark.parametrize(
    "config",
    [
        _table(),
        OrderedDict(_table()),
        argparse.Namespace(**_table()),
        json.dumps(_table()),
        {k: v for k, v in _table().items() if k in ("upsample_rates", "resblock_dilation_sizes")},
        {
            "train": {"segment_size": 12800},
            "data": {"sampling_rate": 16000, "hop_length": 160},
            "model": {k: v for k, v in _table().items() if k != "sample_rate"},
        },
    ],
    ids=lambda config: type(config).__name__,
)
def test_config_by_names(tmp_path: Path, config: Any) -> None:
    held = {**_held(), "config": config}
    assert not _voice(_saved(held, tmp_path / "v.pth")).card.remarks


def test_rate_of_a_table_is_compared(tmp_path: Path) -> None:
    held = {**_held(), "config": _table(sample_rate="48k")}
    (remark,) = _voice(_saved(held, tmp_path / "v.pth")).card.remarks
    assert "its config states 48k, but its upsampling makes 160 samples" in remark


# ---- no voices ------------------------------------------------------------------------------


def _refused(path: Path) -> str:
    for read in (open_voice, identify):
        with pytest.raises(WeightsError) as caught:
            read(path)
        assert path.name in str(caught.value)
        assert "again" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (lambda w: {"model": w}, "weights that an RVC training starts from"),
        (lambda w: {"model": {f"module.{k}": v for k, v in w.items()}}, "training starts from"),
        (lambda w: w, "a bare state dict with the weights of an RVC voice"),
        (lambda w: {"state_dict": w}, "a bare state dict with the weights of an RVC voice"),
        (lambda w: {"weight": w, "f0": 1}, "a bare state dict with the weights of an RVC voice"),
        (lambda w: {"model": w, "iteration": 1}, "a checkpoint of an RVC training (G_*.pth)"),
        (lambda w: {"net_g": w, "optimizer": {}}, "a checkpoint of an RVC training (G_*.pth)"),
        (lambda _: {"model": DISCRIMINATOR}, "the discriminator of an RVC training"),
        (lambda _: {"model": DISCRIMINATOR, "iteration": 7}, "the discriminator of an RVC"),
        (lambda _: {f"module.{k}": v for k, v in DISCRIMINATOR.items()}, "the discriminator"),
    ],
)
def test_weights_of_a_training_are_named(
    tmp_path: Path, tree: Callable[[Tree], Tree], said: str
) -> None:
    text = _refused(_saved(tree(_weights()), tmp_path / "f0G40k.pth"))
    assert said in text
    assert "the small .pth in the folder `weights`" in text


@pytest.mark.parametrize("prefix", ["", "module."])
def test_arrays_instead_of_tensors_are_named(tmp_path: Path, prefix: str) -> None:
    weights = {f"{prefix}{name}": tensor.numpy() for name, tensor in _weights().items()}
    for tree in (weights, {"weight": weights, "config": CONFIG}):
        text = _refused(_saved(tree, tmp_path / "v.pth"))
        assert "its weights are NumPy arrays or objects, not tensors" in text


def test_bare_safetensors_are_named(tmp_path: Path) -> None:
    save_file(_weights(), tmp_path / "v.safetensors", {"format": "pt"})
    text = _refused(tmp_path / "v.safetensors")
    assert "a bare state dict" in text
    assert "upsampling rates and dilations, which no tensor shows" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.enc_p.enc_.attn_layers.0.conv_q.weight", "a voice of so-vits-svc"),
        ("model.unit2ctrl.f0_embed.weight", "a voice of DDSP-SVC"),
        ("phone_extractor.head.weight", "a checkpoint of Beatrice"),
        ("weight.enc_p.ssl_proj.weight", "a voice of GPT-SoVITS"),
        ("model.enc_p.emb.weight", "a voice of VITS (text to speech)"),
    ],
)
def test_voices_of_other_programs_are_named(tmp_path: Path, name: str, said: str) -> None:
    more = {"emb_g.weight": torch.zeros(2, 4), "dec.conv_pre.bias": torch.zeros(2)}
    text = _refused(_saved({name: torch.zeros(2, 2), **more}, tmp_path / "v.pth"))
    assert said in text
    assert "fix: use an RVC voice" in text


# ---- anything at all ------------------------------------------------------------------------

_SHAPES = {name: tuple(tensor.shape) for name, tensor in rvc_example.voice()["weight"].items()}
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=8,
)


@settings(max_examples=150)
@given(
    entries=st.dictionaries(st.integers(0, 17), _VALUES, max_size=3),
    whole=st.none() | _VALUES,
    keys=st.dictionaries(
        st.sampled_from(["f0", "version", "sr", "vocoder", "embedder_output_layer", "info"]),
        _VALUES,
        max_size=3,
    ),
    shapes=st.dictionaries(
        st.sampled_from(list(_SHAPES)),
        st.none() | st.lists(st.integers(0, 40), max_size=4).map(tuple),
        max_size=4,
    ),
)
def test_any_file_is_a_voice_or_an_error(
    entries: dict[int, Any], whole: Any, keys: Tree, shapes: dict[str, tuple[int, ...] | None]
) -> None:
    """No value and no shape ends in a traceback, or in a card that cannot be shown or stored."""
    weight = {
        name: TensorHeader(shape, torch.float32)
        for name, shape in (_SHAPES | shapes).items()
        if shape is not None
    }
    config = [entries.get(place, value) for place, value in enumerate(CONFIG)]
    tree = {"weight": weight, "config": config if whole is None else whole, **keys}
    tensors = {f"weight.{name}": header for name, header in weight.items()}
    path = Path("any.pth")
    archive = Archive(path, path, "torch", 1, tree, tensors, {}, None, (0, 0, 0, 0))
    with contextlib.suppress(WeightsError):
        card = KIND.card(path, archive)
        if card is not None:
            assert VoiceCard.model_validate_json(card.stored()).remarks == card.remarks
