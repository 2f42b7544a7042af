"""Encoders in the names and files that people have, and the network by the book."""

from __future__ import annotations

import argparse
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.content.hubert_sizes import HubertSizes

Tensors = dict[str, torch.Tensor]

_CONV = "feature_extractor.conv_layers"
_POSITION = "encoder.pos_conv_embed.conv"
_TO_HUGGING_FACE = (
    ("convs.0.norm", f"{_CONV}.0.layer_norm"),
    ("convs.#", f"{_CONV}.#.conv"),
    ("features_norm", "feature_projection.layer_norm"),
    ("projection", "feature_projection.projection"),
    ("position.weight_g", f"{_POSITION}.parametrizations.weight.original0"),
    ("position.weight_v", f"{_POSITION}.parametrizations.weight.original1"),
    ("position.", f"{_POSITION}."),
    ("norm.", "encoder.layer_norm."),
    ("layers.#.attention.query", "encoder.layers.#.attention.q_proj"),
    ("layers.#.attention.key", "encoder.layers.#.attention.k_proj"),
    ("layers.#.attention.value", "encoder.layers.#.attention.v_proj"),
    ("layers.#.attention.output", "encoder.layers.#.attention.out_proj"),
    ("layers.#.attention_norm", "encoder.layers.#.layer_norm"),
    ("layers.#.up", "encoder.layers.#.feed_forward.intermediate_dense"),
    ("layers.#.down", "encoder.layers.#.feed_forward.output_dense"),
    ("layers.#.norm", "encoder.layers.#.final_layer_norm"),
    ("head.", "final_proj."),
)
_TO_FAIRSEQ = (
    ("convs.0.norm", f"{_CONV}.0.2"),
    ("convs.#", f"{_CONV}.#.0"),
    ("features_norm", "layer_norm"),
    ("projection", "post_extract_proj"),
    ("position.", "encoder.pos_conv.0."),
    ("norm.", "encoder.layer_norm."),
    ("layers.#.attention.query", "encoder.layers.#.self_attn.q_proj"),
    ("layers.#.attention.key", "encoder.layers.#.self_attn.k_proj"),
    ("layers.#.attention.value", "encoder.layers.#.self_attn.v_proj"),
    ("layers.#.attention.output", "encoder.layers.#.self_attn.out_proj"),
    ("layers.#.attention_norm", "encoder.layers.#.self_attn_layer_norm"),
    ("layers.#.up", "encoder.layers.#.fc1"),
    ("layers.#.down", "encoder.layers.#.fc2"),
    ("layers.#.norm", "encoder.layers.#.final_layer_norm"),
    ("head.", "final_proj."),
)


def _renamed(tensors: Mapping[str, torch.Tensor], rules: tuple[tuple[str, str], ...]) -> Tensors:
    return {_rename(name, rules): tensor for name, tensor in tensors.items()}


def _rename(name: str, rules: tuple[tuple[str, str], ...]) -> str:
    number = next((part for part in name.split(".") if part.isdigit()), "")
    for start, other in rules:
        own = start.replace("#", number)
        if name.startswith(own):
            return other.replace("#", number) + name.removeprefix(own)
    raise AssertionError(name)


@pytest.fixture
def hugging_face() -> Callable[[Mapping[str, torch.Tensor]], Tensors]:
    """Canonical names to those of ``transformers``, of today."""
    return lambda tensors: _renamed(tensors, _TO_HUGGING_FACE)


@pytest.fixture
def fairseq() -> Callable[[Mapping[str, torch.Tensor]], Tensors]:
    """Canonical names to those of fairseq."""
    return lambda tensors: _renamed(tensors, _TO_FAIRSEQ)


def _class(module: str, name: str) -> type:
    made = type(name, (), {"__module__": module})
    package = types.ModuleType(module)
    setattr(package, name, made)
    sys.modules[module] = package
    return made


@pytest.fixture
def save_fairseq() -> Iterator[Callable[..., None]]:
    """``save(tensors, path, **model)``: a checkpoint with objects in it, as fairseq's."""
    names = ("fairseq", "fairseq.data", "fairseq.data.dictionary", "omegaconf")

    def save(tensors: Mapping[str, torch.Tensor], path: Path, **model: Any) -> None:
        for name in names:
            sys.modules[name] = types.ModuleType(name)
        dictionary = _class("fairseq.data.dictionary", "Dictionary")()
        dictionary.symbols, dictionary.indices = ["<s>", "0"], {"<s>": 0, "0": 1}
        config = _class("omegaconf", "DictConfig")()
        config._content = {"arch": "hubert"}
        settings = {"_name": "hubert", "layer_norm_first": False, "extractor_mode": "default"}
        content = {
            "args": argparse.Namespace(arch="hubert", encoder_layers=12),
            "cfg": {"model": settings | model, "common": config},
            "model": dict(tensors),
            "task_state": {"dictionaries": [dictionary]},
            "last_optimizer_state": None,
        }
        try:
            torch.save(content, path)
        finally:
            for name in names:
                del sys.modules[name]

    yield save
    for name in names:
        assert name not in sys.modules


@pytest.fixture
def by_the_book() -> Callable[..., torch.Tensor]:
    """``features(weights, sizes, audio, layer, project)``: each step as the papers have it."""
    return _by_the_book


def _by_the_book(
    w: Mapping[str, torch.Tensor],
    sizes: HubertSizes,
    audio: torch.Tensor,
    layer: int,
    project: bool,
) -> torch.Tensor:
    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"])

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(x, w[name + ".weight"], w[name + ".bias"])

    x = functional.conv1d(audio[:, None], w["convs.0.weight"], stride=5)
    scale, bias = w["convs.0.norm.weight"], w["convs.0.norm.bias"]
    x = functional.gelu(functional.group_norm(x, x.shape[1], scale, bias))
    for i in range(1, 7):
        x = functional.gelu(functional.conv1d(x, w[f"convs.{i}.weight"], stride=2))
    x = linear(norm(x.transpose(1, 2), "features_norm"), "projection")
    v, g = w["position.weight_v"], w["position.weight_g"]
    kernel = v * g / v.norm(dim=(0, 1), keepdim=True)
    turned, half = x.transpose(1, 2), sizes.taps // 2
    y = functional.conv1d(turned, kernel, w["position.bias"], padding=half, groups=sizes.groups)
    x = norm(x + functional.gelu(y[:, :, : x.shape[1]]).transpose(1, 2), "norm")
    streams, frames, _ = x.shape
    for i in range(layer):
        own = f"layers.{i}."
        query, key, value = (
            linear(x, f"{own}attention.{part}").view(streams, frames, sizes.heads, -1)
            for part in ("query", "key", "value")
        )
        scores = torch.einsum("sqhd,skhd->shqk", query, key) / query.shape[-1] ** 0.5
        y = torch.einsum("shqk,skhd->sqhd", scores.softmax(-1), value).flatten(2)
        x = norm(x + linear(y, own + "attention.output"), own + "attention_norm")
        y = linear(functional.gelu(linear(x, own + "up")), own + "down")
        x = norm(x + y, own + "norm")
    return linear(x, "head") if project else x
