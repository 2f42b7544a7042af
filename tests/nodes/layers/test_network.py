"""A network is built plain, brought into a form, and shared by what decides its numbers."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from voicegraph.graph import WeightsError
from voicegraph.graph.files.models import Archive, load_state, open_archive
from voicegraph.nodes.layers.form import PACKED_FLOAT32, PLAIN_FLOAT32, Form, plain
from voicegraph.nodes.layers.network import Network, form_for, into_form, load_network

CPU = torch.device("cpu")
HALVED = Form("packed", "int8")


class _Halved(nn.Module):
    """Stands for a packed layer of another precision."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight = layer.weight / 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.T


class _Small(Network):
    packings = MappingProxyType({HALVED: {nn.Linear: _Halved}})

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.LayerNorm(2), nn.Linear(2, 2, bias=False))


def _file(path: Path, scale: float = 1.0) -> Archive:
    linear = torch.full((2, 2), scale)
    norm = {"inner.0.weight": torch.ones(2), "inner.0.bias": torch.zeros(2)}
    save_file({"inner.1.weight": linear, **norm}, path)
    return open_archive(path)


def _load(archive: Archive, form: Form, *more: int) -> _Small:
    def build() -> _Small:
        network = _Small()
        load_state(network, archive.read(archive.tensors), archive.path, "a small network")
        return network

    return load_network(_Small, archive, build, CPU, form, *more)


def test_layers_that_have_a_packer_are_replaced_at_any_depth(tmp_path: Path) -> None:
    made = _load(_file(tmp_path / "a.safetensors"), HALVED)
    assert [type(layer) for layer in made.inner] == [nn.LayerNorm, _Halved]
    assert not made.training
    assert not any(p.requires_grad for p in made.parameters())


def test_what_stays_plain_in_a_packed_form_is_float32() -> None:
    assert HALVED.dtype is torch.float32
    assert plain(torch.bfloat16).dtype is torch.bfloat16
    made = into_form(_Small(), CPU, plain(torch.bfloat16))
    assert {p.dtype for p in made.parameters()} == {torch.bfloat16}


def test_copies_of_a_file_share_and_forms_do_not(tmp_path: Path) -> None:
    archive, copy = _file(tmp_path / "a.safetensors"), _file(tmp_path / "b.safetensors")
    made = _load(archive, PLAIN_FLOAT32)
    assert _load(copy, PLAIN_FLOAT32) is made
    others = [
        _load(archive, HALVED),
        _load(archive, plain(torch.float16)),
        _load(archive, PLAIN_FLOAT32, 1),
        _load(_file(tmp_path / "c.safetensors", 2.0), PLAIN_FLOAT32),
    ]
    assert len({id(network) for network in (made, *others)}) == 5


def test_a_form_that_a_network_lacks_is_refused(tmp_path: Path) -> None:
    assert form_for(_Small, CPU, torch.float32) == PLAIN_FLOAT32
    with pytest.raises(ValueError, match="_Small has no form packed float32"):
        _load(_file(tmp_path / "a.safetensors"), PACKED_FLOAT32)


def test_values_beyond_float16_are_refused(tmp_path: Path) -> None:
    archive = _file(tmp_path / "a.safetensors", 1e6)
    with pytest.raises(WeightsError, match=r"inner\.1\.weight has values that float16 cannot"):
        _load(archive, plain(torch.float16))
    made = _load(archive, plain(torch.bfloat16))
    assert all(tensor.isfinite().all() for tensor in made.state_dict().values())
