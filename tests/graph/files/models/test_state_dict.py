"""State dicts under prefixes and wrappers, and what is stored beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from voicegraph.graph.files.models import open_archive
from voicegraph.graph.files.models.state_dict import (
    find_state_dict,
    settings_around,
    without_wrappers,
)

OWN = ("a.first.weight", "a.first.bias", "a.layers.0.weight", "b.weight")
MARKER = OWN[0]
WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module")


@given(
    keys=st.lists(st.sampled_from(["weight", "model", "state_dict", "net_g", "generator", "x"])),
    wrappers=st.lists(st.sampled_from(WRAPPERS), max_size=2),
    inside=st.sampled_from(WRAPPERS),
)
def test_any_prefix_is_understood(keys: list[str], wrappers: list[str], inside: str) -> None:
    prefix = "".join(f"{part}." for part in (*keys, *wrappers))
    names = [f"{prefix}{name.replace('layers.', f'layers.{inside}.')}" for name in OWN]
    found = find_state_dict([*names, "other.weight"], MARKER)
    assert found is not None
    assert found.prefix == "".join(f"{key}." for key in keys)
    kept = {name: own for name, own in found.names.items() if name != "other.weight"}
    assert kept == dict(zip(OWN, names, strict=True))
    assert not found.others


def test_marker_is_a_whole_name() -> None:
    assert find_state_dict(["xa.first.weight", "a.first.weights"], MARKER) is None
    assert without_wrappers("module.a.module_list._orig_mod.b") == "a.module_list.b"


@pytest.mark.parametrize("ema", ["ema", "model_ema", "state_dict_ema", "ema_model.module"])
@pytest.mark.parametrize("plain", ["model.", "state_dict.", ""])
def test_running_mean_is_preferred_and_said(ema: str, plain: str) -> None:
    names = [*(f"{plain}{name}" for name in OWN), *(f"{ema}.{name}" for name in OWN)]
    found = find_state_dict(names, MARKER)
    assert found is not None
    assert set(found.names) == set(OWN)
    assert all(name.startswith(ema) for name in found.names.values())
    assert f"not {plain.rstrip('.') or 'the top level'}" in found.remark


def test_other_parts_of_a_training_are_left_out() -> None:
    names = [*OWN, *(f"{part}.state.0.exp_avg" for part in ("optimizer", "net_d")), "n_averaged"]
    found = find_state_dict(names, MARKER)
    assert found is not None
    assert set(found.names) == set(OWN)
    assert not found.remark


def _settings(tree: Any, path: Path) -> dict[str, Any]:
    torch.save(tree, path)
    archive = open_archive(path)
    return settings_around(archive, find_state_dict(archive.tensors, MARKER))


def test_settings_of_all_levels_are_read(tmp_path: Path) -> None:
    weights = {f"module.{name}": torch.zeros(70, 2) for name in OWN}
    inner = {"weight": weights, "sr": "40k", "epoch": torch.tensor(3)}
    tree = {"model": inner, "sr": "48k", "version": np.str_("v2"), "optimizer": {"lr": 1}}
    assert _settings(tree, tmp_path / "f.pth") == {"sr": "40k", "epoch": 3, "version": "v2"}


def test_settings_beside_a_bare_state_dict(tmp_path: Path) -> None:
    tree = {name: torch.zeros(2) for name in OWN} | {"config": [1, np.int64(2)], "f0": 1}
    assert _settings(tree, tmp_path / "f.pth") == {"config": [1, 2], "f0": 1}


def test_metadata_of_safetensors_are_settings(tmp_path: Path) -> None:
    save_file({name: torch.zeros(2) for name in OWN}, tmp_path / "f.safetensors", {"f0": "1"})
    archive = open_archive(tmp_path / "f.safetensors")
    assert settings_around(archive, find_state_dict(archive.tensors, MARKER)) == {"f0": "1"}


def test_a_list_around_everything_is_looked_into(tmp_path: Path) -> None:
    inside = {"weight": {name: torch.zeros(2) for name in OWN}, "config": [1], "f0": 1}
    assert _settings([inside, {"f0": 0}], tmp_path / "f.pth") == {"config": [1], "f0": 1}
