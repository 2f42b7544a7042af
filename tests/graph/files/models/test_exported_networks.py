"""Weights in TorchScript and torch.export files: those of our own export, whatever the program."""

from __future__ import annotations

import argparse
import json
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from voicegraph.graph.files.models import WeightsError, open_archive
from voicegraph.schemas.export_card import MODEL_KEY, ExportCard

CARD = ExportCard(title="net", use="synth.rvc", dtype="float32").stored()
MODEL = json.dumps({"kind": "voice"})
MODULE = b"c__torch__.some.___torch_mangle_3\nNet\n)\x81"
"""Opcodes that push an object of a program's class."""
Change = Callable[[dict[str, bytes]], None]


class Inner(nn.Module):
    """Weights that share memory, that are transposed, and in half precision."""

    def __init__(self) -> None:
        super().__init__()
        values = torch.arange(24.0).reshape(4, 6)
        self.weight = nn.Parameter(values.t(), requires_grad=False)
        self.reduced = nn.Parameter(torch.tensor([0.5, -2.0]).half(), requires_grad=False)
        self.register_buffer("count", torch.tensor([3, 4]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight + self.reduced.sum() + self.get_buffer("count").sum()


class Net(nn.Module):
    """A list of modules, of which one is there twice."""

    def __init__(self) -> None:
        super().__init__()
        inner = Inner()
        self.layers = nn.ModuleList([inner, Inner()])
        self.again = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers[0](x) * self.layers[1](x) + self.again(x)


def _saved(path: Path, form: str, net: nn.Module) -> None:
    extra, example = {"voicegraph": CARD, MODEL_KEY: MODEL}, torch.ones(2, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if form == "torchscript":
            torch.jit.save(torch.jit.trace(net, example), path, _extra_files=extra)  # pyright: ignore[reportArgumentType]
        else:
            torch.export.save(torch.export.export(net, (example,)), path, extra_files=extra)


@pytest.mark.parametrize("form", ["torchscript", "pt2"])
def test_weights_are_those_of_the_state_dict(form: str, tmp_path: Path) -> None:
    net = Net().eval()
    _saved(tmp_path / "net", form, net)
    archive = open_archive(tmp_path / "net")
    state = net.state_dict()
    found = archive.read(archive.tensors)
    assert (archive.form, found.keys()) == (form, state.keys())
    for name, tensor in state.items():
        assert torch.equal(found[name], tensor), name
        assert found[name].dtype == tensor.dtype
    assert archive.export == ExportCard.model_validate_json(CARD)
    assert archive.card == {"kind": "voice"}


def _records(card: str | None = CARD, pickle: bytes = b"", **more: bytes) -> dict[str, bytes]:
    """A TorchScript archive."""
    extra = {} if card is None else {"extra/voicegraph": card.encode()}
    code = {"code/__torch__/some.py": b"class Net(Module): ...", "constants.pkl": b"\x80\x02)."}
    return {"data.pkl": pickle, **extra, **code, **more}


def _program(entry: Mapping[str, Any], card: str | None = CARD) -> dict[str, bytes]:
    """An archive of torch.export with one weight of 24 values."""
    usual = {"path_name": "weight_0", "is_param": True, "use_pickle": False}
    table = {"config": {"w": usual | dict(entry)}}
    extra = {} if card is None else {"extra/voicegraph": card.encode()}
    return {
        "archive_format": b"pt2",
        "models/model.json": b"{}",
        "data/weights/model_weights_config.json": json.dumps(table).encode(),
        "data/weights/weight_0": torch.arange(24.0).numpy().tobytes(),
        **extra,
    }


def _meta(
    sizes: tuple[Any, ...] = (4, 6),
    strides: tuple[Any, ...] = (6, 1),
    offset: Any = 0,
    dtype: Any = 7,
    layout: Any = 7,
) -> dict[str, Any]:
    def number(value: Any) -> Any:
        return value if isinstance(value, dict) else {"as_int": value}

    return {
        "tensor_meta": {
            "dtype": dtype,
            "sizes": [number(size) for size in sizes],
            "strides": [number(step) for step in strides],
            "storage_offset": number(offset),
            "layout": layout,
        }
    }


def _zip(path: Path, records: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in records.items():
            file.writestr(f"net/{name}", data)
    return path


def _refused(path: Path, code: str) -> str:
    with pytest.raises(WeightsError) as caught:
        open_archive(path)
    assert caught.value.problems[0].code == code
    assert str(path) in str(caught.value)
    return str(caught.value)


def _module(**tensors: bytes) -> bytes:
    """The pickle of a module with these tensors."""
    made = MODULE + b"}("
    for name, opcodes in tensors.items():
        made += b"X" + len(name).to_bytes(4, "little") + name.encode() + opcodes
    return b"\x80\x02" + made + b"ub."


def test_the_program_is_not_run_nor_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands in the code and in its constants, the weights are those of the file."""
    monkeypatch.chdir(tmp_path)
    net = Net().eval()
    _saved(tmp_path / "net.ts", "torchscript", net)
    with zipfile.ZipFile(tmp_path / "net.ts") as file:
        held = {name.partition("/")[2]: file.read(name) for name in file.namelist()}
    hostile = b"cos\nmkdir\n(S'SENTINEL'\ntR."
    changed = {
        name: hostile if name == "constants.pkl" or name.startswith("code/") else data
        for name, data in held.items()
    }
    assert changed != held
    archive = open_archive(_zip(tmp_path / "changed.ts", changed))
    found = archive.read(archive.tensors)
    assert all(torch.equal(found[name], tensor) for name, tensor in net.state_dict().items())
    assert not (tmp_path / "SENTINEL").exists()


@pytest.mark.parametrize(
    "card",
    [None, '{"kind": "voice"}', "{}"],
    ids=["none", "of another kind", "empty"],
)
def test_programs_of_others_are_refused(
    card: str | None, tmp_path: Path, opcodes: argparse.Namespace
) -> None:
    pickle = _module(w=opcodes.tensor(1, (1,), (1,)))
    values = {"data/0": b"\0\0\0\0"}
    said = _refused(_zip(tmp_path / "a.ts", _records(card, pickle, **values)), "not-weights")
    assert "a TorchScript program, which contains code" in said
    said = _refused(_zip(tmp_path / "a.pt2", _program(_meta(), card)), "not-weights")
    assert "a program of torch.export, which contains code" in said
    assert "get the checkpoint that the program was made from" in said


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("{", "damaged-file"),
        ("[" * 100_000, "damaged-file"),
        (" " * (1 << 20) + CARD, "damaged-file"),
        ('{"kind": "export"}', "unknown-card"),
        (CARD[:-1] + ', "newer": 1}', "unknown-card"),
    ],
    ids=["cut", "nested", "large", "without a node", "with a field of the future"],
)
def test_a_card_must_be_understood(card: str, code: str, tmp_path: Path) -> None:
    _refused(_zip(tmp_path / "a.ts", _records(card, _module())), code)


def test_a_pickle_may_name_nothing_but_classes_of_its_program(tmp_path: Path) -> None:
    for name in (b"os\nsystem", b"torch.jit\nload", b"__torch__x\nNet", b"__torch__.a b\nNet"):
        pickle = b"\x80\x02c" + name + b"\n)\x81}b."
        said = _refused(_zip(tmp_path / "a.ts", _records(CARD, pickle)), "forbidden-global")
        assert "Nothing in it was run" in said


def test_a_checkpoint_may_not_name_classes_of_programs(tmp_path: Path) -> None:
    _refused(_zip(tmp_path / "a.pth", {"data.pkl": _module()}), "forbidden-global")


def test_tensors_of_a_program_stay_within_the_file(
    tmp_path: Path, opcodes: argparse.Namespace
) -> None:
    """A view beyond its storage, values that are missing or of another size, shared bytes."""

    def refused(code: str, pickle: bytes, **values: bytes) -> None:
        _refused(_zip(tmp_path / "a.ts", _records(CARD, pickle, **values)), code)

    right = opcodes.tensor(4, (2, 2), (2, 1))
    assert open_archive(
        _zip(tmp_path / "b.ts", _records(CARD, _module(w=right), **{"data/0": bytes(16)}))
    ).tensors.keys() == {"w"}
    refused("damaged-file", _module(w=right))
    refused("tensor-too-large", _module(w=right), **{"data/0": bytes(12)})
    refused(
        "tensor-too-large", _module(w=opcodes.tensor(4, (2, 2), (4, 1))), **{"data/0": bytes(16)}
    )
    refused(
        "tensor-too-large", _module(w=opcodes.tensor(1, (1 << 40,), (0,))), **{"data/0": bytes(4)}
    )


def test_a_module_that_contains_itself_is_refused(tmp_path: Path) -> None:
    """The state of an object is set after the object is remembered: ``n.me = n``."""
    pickle = b"\x80\x02" + MODULE + b"q\x01}X\x02\x00\x00\x00meh\x01sb."
    said = _refused(_zip(tmp_path / "a.ts", _records(CARD, pickle)), "damaged-file")
    assert "contains itself" in said


def test_a_compressed_record_is_refused(tmp_path: Path) -> None:
    """Its size would be no bound of what it takes."""
    records = _records(CARD + " " * 1000, _module())
    _refused(_zip(tmp_path / "a.ts", records, zipfile.ZIP_DEFLATED), "compressed-record")


def test_views_in_a_program_of_torch_export_are_read(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.pt2", _program(_meta((3, 2), (1, 6), 5)))
    archive = open_archive(path)
    found = archive.read(["w"])["w"]
    assert torch.equal(found, torch.arange(24.0).as_strided((3, 2), (1, 6), 5))


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"use_pickle": True} | _meta(), "damaged-file"),
        ({"path_name": "../../../../etc/passwd"} | _meta(), "damaged-file"),
        ({"path_name": "weight_1"} | _meta(), "damaged-file"),
        ({"tensor_meta": None}, "damaged-file"),
        (_meta(dtype=9), "damaged-file"),
        (_meta(dtype=99), "damaged-file"),
        (_meta(dtype=[]), "damaged-file"),
        (_meta(layout=1), "damaged-file"),
        (_meta(sizes=({"as_expr": "s0"}, 6)), "damaged-file"),
        (_meta(sizes=(-4, 6)), "damaged-file"),
        (_meta(sizes=(True, 6)), "damaged-file"),
        (_meta(sizes=(1 << 50, 6)), "damaged-file"),
        (_meta(sizes=(4, 6, 1)), "damaged-file"),
        (_meta(sizes=(1,) * 17, strides=(1,) * 17), "damaged-file"),
        (_meta(sizes=(5, 6)), "tensor-too-large"),
        (_meta(strides=(7, 1)), "tensor-too-large"),
        (_meta(offset=1), "tensor-too-large"),
        (_meta(sizes=(1 << 40,), strides=(0,)), "tensor-too-large"),
        (_meta(dtype=8), "tensor-too-large"),
    ],
)
def test_weights_of_torch_export_stay_within_the_file(
    entry: dict[str, Any], code: str, tmp_path: Path
) -> None:
    _refused(_zip(tmp_path / "a.pt2", _program(entry)), code)
