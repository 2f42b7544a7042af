"""Tensors into modules."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from voicegraph.graph.files.models import WeightsError, load_state

PATH = Path("voice.pth")


def _module(device: str = "cpu") -> nn.Module:
    with torch.device(device):
        return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval().requires_grad_(False)


def _tensors() -> dict[str, torch.Tensor]:
    return {
        name: torch.full_like(value, 2 + i)
        for i, (name, value) in enumerate(_module().state_dict().items())
    }


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_tensors_are_loaded_without_copies(device: str) -> None:
    module, tensors = _module(device), _tensors()
    load_state(module, tensors, PATH, "a voice")
    for name, value in module.state_dict().items():
        assert value.data_ptr() == tensors[name].data_ptr()
        assert not value.requires_grad
    assert module(torch.ones(1, 3)).shape == (1, 2)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_floats_are_cast_to_the_module(device: str) -> None:
    module = _module(device)
    load_state(
        module,
        {k: v.half() if v.is_floating_point() else v for k, v in _tensors().items()},
        PATH,
        "a voice",
    )
    for name, value in module.state_dict().items():
        assert value.dtype == _tensors()[name].dtype
        assert torch.equal(value, _tensors()[name])


def test_all_mismatches_are_reported_at_once() -> None:
    tensors = _tensors()
    del tensors["0.bias"]
    tensors["0.weight"] = torch.ones(2, 4)
    tensors["1.weight"] = torch.ones(2, dtype=torch.int64)
    tensors["1.num_batches_tracked"] = torch.tensor(1.0)
    tensors["more\x1b[2J"] = torch.ones(7)
    with pytest.raises(WeightsError) as caught:
        load_state(_module(), tensors, PATH, "an RVC voice")
    (problem,) = caught.value.problems
    assert problem.message == "voice.pth: its tensors are not those of an RVC voice"
    assert [text for text, _ in problem.notes] == [
        "missing: 0.bias [2]",
        "unexpected: more\\x1b[2J [7]",
        "0.weight: expected [2, 3], found [2, 4]",
        "1.weight: expected float32, found int64",
        "1.num_batches_tracked: expected int64, found float32",
    ]
    assert problem.fix == "voicegraph inspect voice.pth"
    assert caught.value.exit_code == 3


def test_further_mismatches_are_counted() -> None:
    tensors = {f"t{i}": torch.ones(1) for i in range(20)}
    with pytest.raises(WeightsError) as caught:
        load_state(_module(), tensors, PATH, "a voice")
    notes = caught.value.problems[0].notes
    assert len(notes) == 9
    assert notes[-1] == ("and 19 more", None)  # 7 missing and 20 unknown ones in all


def test_values_beyond_half_precision_are_errors() -> None:
    tensors = _tensors()
    tensors["0.weight"][0, 0] = 1e6
    load_state(_module().to(torch.bfloat16), tensors, PATH, "a voice")
    with pytest.raises(WeightsError, match=r"0\.weight has values that float16 cannot hold"):
        load_state(_module().half(), tensors, PATH, "a voice")
