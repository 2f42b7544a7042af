"""Files of tensors, as honest programs write them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from voicegraph.graph.files.models import TensorHeader, WeightsError, open_archive
from voicegraph.graph.files.models._pickle_allowlist import Inert
from voicegraph.graph.terminal_text import printable

Zipped = Callable[..., Path]


def _save(value: object, path: Path, zipped: bool = True, protocol: int = 2) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_torch_files_of_both_formats(
    tmp_path: Path,
    checkpoint: dict[str, Any],
    weights: dict[str, torch.Tensor],
    zipped: bool,
    protocol: int,
) -> None:
    archive = open_archive(_save(checkpoint, tmp_path / "a.pth", zipped, protocol))
    assert archive.form == ("torch" if zipped else "torch-legacy")
    assert (archive.config, archive.card) == ({}, None)
    assert isinstance(archive.tree, dict)
    for key in ("config", "version", "f0", "flags", "bytes"):
        assert archive.tree[key] == checkpoint[key]
    args = archive.tree["args"]
    assert isinstance(args, Inert)
    assert args.name == "argparse.Namespace"
    assert args.state == {"layers": 12, "nested": {"a": [1]}}
    assert list(archive.tensors) == [*(f"weight.{name}" for name in weights), "steps.7"]
    read = archive.read(archive.tensors)
    for name, value in weights.items():
        header, found = archive.tensors[f"weight.{name}"], read[f"weight.{name}"]
        assert archive.tree["weight"][name] is header
        assert (header.shape, header.dtype) == (tuple(value.shape), value.dtype)
        assert (header.numel, header.nbytes) == (value.numel(), value.nbytes)
        assert found.dtype == value.dtype
        assert torch.equal(found, value)
        assert found.is_contiguous()
        assert not found.is_inference()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_tensors_are_those_of_torch_load(
    tmp_path: Path, checkpoint: dict[str, Any], zipped: bool
) -> None:
    del checkpoint["args"]  # torch.load refuses it
    path = _save(checkpoint, tmp_path / "a.pth", zipped)
    expected = torch.load(path, weights_only=True)
    archive = open_archive(path)
    read = archive.read(archive.tensors)
    assert torch.equal(read["steps.7"], expected["steps"][7])
    assert len(read) == len(expected["weight"]) + 1
    for name, value in expected["weight"].items():
        assert torch.equal(read[f"weight.{name}"], value)


def test_safetensors_header_and_card(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "a.safetensors"
    card = {"kind": "voice", "title": "\N{SNOWMAN}"}
    held = {name: value.detach().contiguous().clone() for name, value in weights.items()}
    save_file(held, path, {"voicegraph": json.dumps(card), "format": "pt"})
    archive = open_archive(path)
    assert (archive.form, archive.card) == ("safetensors", card)
    assert archive.tensors == archive.tree
    read = archive.read(archive.tensors)
    assert read.keys() == weights.keys()
    for name, value in weights.items():
        assert torch.equal(read[name], value)


def test_folder_prefers_safetensors(tmp_path: Path) -> None:
    torch.save({"old": torch.ones(2)}, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text('{"hidden_size": 768}', encoding="utf-8")
    archive = open_archive(tmp_path)
    assert (archive.path, archive.form) == (tmp_path, "torch")
    assert archive.config == {"hidden_size": 768}
    save_file({"new": torch.ones(2)}, tmp_path / "model.safetensors")
    archive = open_archive(str(tmp_path))
    assert list(archive.read(["new"])) == ["new"]
    assert archive.config == {"hidden_size": 768}
    assert open_archive(tmp_path / "pytorch_model.bin").config == {"hidden_size": 768}


def _listing(**names: str) -> str:
    return json.dumps({"metadata": {}, "weight_map": names})


@pytest.mark.parametrize("form", ["safetensors", "torch"])
def test_shards_are_read_as_one_model(tmp_path: Path, form: str) -> None:
    weights = {name: torch.randn(5, 3) for name in "abc"}
    ending = "safetensors" if form == "safetensors" else "bin"
    files = {"a": f"one.{ending}", "b": f"two.{ending}", "c": f"one.{ending}"}
    for file in set(files.values()):
        inside = {name: weights[name] for name in weights if files[name] == file}
        if form == "safetensors":
            save_file(inside, tmp_path / file)
        else:
            torch.save(inside, tmp_path / file)
    listing = "model.safetensors" if form == "safetensors" else "pytorch_model.bin"
    (tmp_path / f"{listing}.index.json").write_text(_listing(**files), encoding="utf-8")
    (tmp_path / "config.json").write_text('{"hidden_size": 768}', encoding="utf-8")
    archive = open_archive(tmp_path)
    assert (archive.path, archive.form, archive.config) == (tmp_path, form, {"hidden_size": 768})
    assert archive.size == sum((tmp_path / file).stat().st_size for file in set(files.values()))
    found = archive.read(["c", "a", "b"])
    assert list(found) == ["c", "a", "b"]
    for name, value in found.items():
        assert torch.equal(value, weights[name])
    (tmp_path / files["b"]).unlink()
    assert f"in 2 files, of which {files['b']} is missing" in str(_refused(tmp_path))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": "one.safetensors", "b": "one.safetensors"}, "names 'b', which is not in that file"),
        ({"a": "one.safetensors", "c": "two.safetensors"}, "two tensors of the name 'a'"),
    ],
)
def test_shard_list_must_match_its_files(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "one.safetensors")
    save_file({"a": torch.ones(2), "c": torch.ones(2)}, tmp_path / "two.safetensors")
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(_listing(**files), encoding="utf-8")
    assert message in str(_refused(tmp_path))


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "no-weights-in-folder"),
        ({"model.safetensors.index.json": "{}"}, "damaged-file"),
        ({"pytorch_model.bin.index.json": '{"weight_map": 3}'}, "damaged-file"),
        ({"model.safetensors.index.json": "[" * 100_000}, "damaged-file"),
        ({"model.safetensors.index.json": " " * (5 << 20)}, "damaged-file"),
        ({"model.safetensors.index.json": _listing(a="../a.safetensors")}, "damaged-file"),
        ({"model.safetensors.index.json": _listing(a="/etc/passwd")}, "damaged-file"),
        ({"model.safetensors.index.json": _listing(a="a-1.safetensors")}, "shard-missing"),
        ({"pytorch_model.bin": "<html>"}, "not-weights"),
    ],
)
def test_folder_without_weights_is_an_error(
    tmp_path: Path, files: dict[str, str], code: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert _refused(tmp_path).problems[0].code == code


def _cached(folder: Path, *revisions: str, main: str = "") -> Path:
    """A model in Hugging Face's cache, with weights in each revision."""
    folder = folder / "models--facebook--hubert"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(main)
    (folder / "snapshots" / "empty").mkdir(parents=True)
    for revision in revisions:
        (folder / "snapshots" / revision).mkdir()
        weights = {"a": torch.full((2,), float(len(revision)))}
        torch.save(weights, folder / "snapshots" / revision / "pytorch_model.bin")
    return folder


def test_only_snapshot_of_a_cache_folder_is_taken(tmp_path: Path) -> None:
    folder = _cached(tmp_path, "abc")
    (folder / "snapshots" / "abc" / "config.json").write_text('{"a": 1}')
    for path in (folder, folder / "snapshots"):
        found = open_archive(path)
        assert (found.path, found.file.parent.name) == (path, "abc")
        assert found.config == {"a": 1}
        assert found.read(["a"])["a"].tolist() == [3, 3]


@pytest.mark.parametrize(("main", "offered"), [("ab", "ab"), ("", "abc"), ("gone", "abc")])
def test_several_snapshots_are_named(tmp_path: Path, main: str, offered: str) -> None:
    folder = _cached(tmp_path, "ab", "abc", main=main)
    (problem,) = _refused(folder).problems
    assert problem.code == "several-snapshots"
    assert "2 revisions of a model: ab, abc" in problem.message
    assert problem.fix == f"give one of them: {folder / 'snapshots' / offered}"


def test_weights_by_other_names_are_offered(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "alice.pth")
    assert _refused(tmp_path).problems[0].fix == f"give the file itself: {tmp_path / 'alice.pth'}"
    torch.save({"a": torch.ones(2)}, tmp_path / "bob.pth")
    assert "it holds alice.pth, bob.pth" in _refused(tmp_path).problems[0].message


def test_the_whole_cache_is_told_apart(tmp_path: Path) -> None:
    _cached(tmp_path, "abc")
    text = _refused(tmp_path).problems[0].message
    assert "it is Hugging Face's cache, with models--facebook--hubert" in text


@pytest.mark.parametrize("text", ["[]", "{", '{"a":' * 2000])
def test_invalid_config_is_an_error(tmp_path: Path, text: str) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    assert "config.json" in str(_refused(tmp_path))


def _refused(path: Path) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        open_archive(path)
    assert printable(str(path)) in str(caught.value)
    assert caught.value.problems[0].fix
    return caught.value


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    assert _refused(tmp_path / "none.pth").problems[0].code == "no-such-file"
    assert _refused(Path(f"{tmp_path}/a\0b")).problems[0].code == "no-such-file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert _refused(tmp_path / "pipe").problems[0].code == "not-regular-file"


def test_only_wanted_tensors_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening reads the header; reading reads the named tensors, and no more."""
    path = _save({"large": torch.zeros(1 << 20), "small": torch.ones(4)}, tmp_path / "a.pth")
    before = _bytes_read()
    archive = open_archive(path)
    if before is not None:
        assert (_bytes_read() or 0) - before < 100_000
        archive.read(["small"])
        assert (_bytes_read() or 0) - before < 100_000
    with pytest.raises(KeyError):
        archive.read(["other"])


def _bytes_read() -> int | None:
    """What this process has read so far, where the system tells."""
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return int(lines[0].split()[1])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_non_finite_values_are_errors(tmp_path: Path, bad: float, dtype: torch.dtype) -> None:
    broken = torch.zeros(3, 5, dtype=dtype)
    broken[1, 2] = bad
    archive = open_archive(_save({"a": broken, "b": torch.ones(2)}, tmp_path / "a.pth"))
    assert torch.equal(archive.read(["b"])["b"], torch.ones(2))
    with pytest.raises(WeightsError, match=r"a hold NaN or infinity") as caught:
        archive.read(["a", "b"])
    assert caught.value.problems[0].code == "non-finite-weights"


def test_file_that_changes_is_an_error(tmp_path: Path) -> None:
    path = _save({"a": torch.ones(4)}, tmp_path / "a.pth")
    archive = open_archive(path)
    time.sleep(0.02)
    _save({"a": torch.zeros(4)}, path)
    with pytest.raises(WeightsError, match="changed"):
        archive.read(["a"])
    path.unlink()
    with pytest.raises(WeightsError, match="no such file"):
        archive.read(["a"])


def test_other_byte_order_is_swapped(zipped: Zipped, opcodes: Any) -> None:
    pickle_ = opcodes.pickled(("a", opcodes.tensor(3, (3,), (1,))))
    data = np.array([1.0, 2.0, -3.5], ">f4").tobytes()
    archive = open_archive(zipped(pickle_, {"0": data}, records={"archive/byteorder": b"big"}))
    assert archive.read(["a"])["a"].tolist() == [1.0, 2.0, -3.5]


def test_objects_become_inert_placeholders(zipped: Zipped) -> None:
    """fairseq's and omegaconf's objects: named, never made; they may refer to themselves."""
    text = (
        b"\x80\x02}(X\x04\x00\x00\x00taskcfairseq.data.dictionary\nDictionary\n)\x81q\x01"
        b"}(X\x07\x00\x00\x00symbols]X\x01\x00\x00\x00aaX\x06\x00\x00\x00parenth\x01ub"
        b"X\x03\x00\x00\x00cfgcomegaconf.dictconfig\nDictConfig\n)Rq\x02h\x02b"
        b"X\x03\x00\x00\x00anyctyping\nAny\n"
        b"X\x03\x00\x00\x00setc__builtin__\nset\n](K\x01K\x02e\x85Ru."
    )
    archive = open_archive(zipped(text))
    assert isinstance(archive.tree, dict)
    task, config, any_ = (archive.tree[key] for key in ("task", "cfg", "any"))
    assert task.name == "fairseq.data.dictionary.Dictionary"
    assert task.state["symbols"] == ["a"]
    assert task.state["parent"] is task
    assert config.state is config
    assert (any_.name, any_.args) == ("typing.Any", None)
    assert archive.tree["set"] == [1, 2]
    assert "Dictionary" in repr(archive.tree)


def test_numpy_scalars_are_allowed(tmp_path: Path) -> None:
    """Trainers leave a learning rate or a loss as NumPy has it."""
    archive = open_archive(_save({"rate": np.float64(0.1), "x": torch.ones(1)}, tmp_path / "a.pt"))
    assert isinstance(archive.tree, dict)
    assert isinstance(archive.tree["rate"], Inert)
    assert list(archive.tensors) == ["x"]


def test_optimizer_state_is_allowed(tmp_path: Path) -> None:
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    path = _save({"model": layer.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "G")
    archive = open_archive(path)
    assert "model.weight" in archive.tensors
    assert "optimizer.state.0.exp_avg" in archive.tensors


def test_handwritten_header_is_read() -> None:
    header = TensorHeader((2, 3), torch.float16)
    assert (header.numel, header.nbytes) == (6, 12)
    assert header == TensorHeader((2, 3), torch.float16)


def test_list_items_are_named_by_number(tmp_path: Path) -> None:
    archive = open_archive(_save([torch.ones(1), {"a": torch.ones(2)}], tmp_path / "a.pt"))
    assert list(archive.tensors) == ["0", "1.a"]
