"""What was checked is what is used, whatever happens to the file meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from safetensors.torch import load, save, save_file

from voicegraph.graph.files import private_copy
from voicegraph.graph.files.models import WeightsError, _archive, open_archive
from voicegraph.graph.files.private_copy import read_private


def test_reads_a_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(100)))
    assert read_private(tmp_path / "a", 10, 20).tolist() == list(range(10, 30))


def test_a_file_that_shrinks_meanwhile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(20))
    with pytest.raises(WeightsError, match="it changed while it was read"):
        read_private(tmp_path / "a", 10, 20)


def test_a_file_of_half_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(bytes(4000))
    monkeypatch.setattr(private_copy, "memory_bytes", lambda: 6000)
    assert read_private(tmp_path / "a", 0, 3000).size == 3000
    with pytest.raises(WeightsError, match="more than half of 6e-06 GB"):
        read_private(tmp_path / "a", 0, 4000)


def test_a_file_overwritten_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(10)}, path)
    archive = open_archive(path)
    read = _archive.read_tensors

    def overwritten(*args: object) -> object:
        found = read(*args)  # pyright: ignore[reportArgumentType]
        path.write_bytes(path.read_bytes()[:-1] + b"\1")
        return found

    monkeypatch.setattr(_archive, "read_tensors", overwritten)
    with pytest.raises(WeightsError, match="it changed after its header was read"):
        archive.read(["a"])


def test_a_file_replaced_by_one_of_the_same_time_is_refused(tmp_path: Path) -> None:
    import os

    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(10)}, path)
    archive = open_archive(path)
    other = tmp_path / "b.safetensors"
    save_file({"a": torch.zeros(10)}, other)
    times = path.stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)
    with pytest.raises(WeightsError, match="it changed after its header was read"):
        archive.read(["a"])


VALID = save({"a": torch.arange(24.0), "b": torch.arange(3), "c": torch.zeros(0)})
LENGTH = int.from_bytes(VALID[:8], "little")


@given(st.data())
def test_refuses_whatever_the_library_refuses(tmp_path_factory, data) -> None:
    """The header with other numbers in it: the checks made here are not weaker."""
    header = json.loads(VALID[8 : 8 + LENGTH])
    entry = header[data.draw(st.sampled_from("abc"))]
    number = st.sampled_from([-1, 0, 1, 2, 3, 24, 96, 120, 1 << 40, 1 << 63, 1.5])
    entry["shape"] = data.draw(st.lists(number, max_size=3) | st.just(entry["shape"]))
    entry["data_offsets"] = data.draw(
        st.lists(number, min_size=1, max_size=3) | st.just(entry["data_offsets"])
    )
    entry["dtype"] = data.draw(st.sampled_from(["F32", "I64", "F16", "F99", 3, entry["dtype"]]))
    text = json.dumps(header).encode()
    whole = len(text).to_bytes(8, "little") + text + VALID[8 + LENGTH :]
    path = tmp_path_factory.getbasetemp() / "header.safetensors"
    path.write_bytes(whole)
    try:
        found = open_archive(path)
    except WeightsError:
        return
    try:
        expected = load(whole)
    except SafetensorError:
        raise AssertionError("the library refuses it") from None
    assert {name: t.shape for name, t in found.tensors.items()} == {
        name: tuple(t.shape) for name, t in expected.items()
    }
    for name, values in found.read(found.tensors).items():
        np.testing.assert_array_equal(values.numpy(), expected[name].numpy())
