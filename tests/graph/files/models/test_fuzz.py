"""Damaged at random: only ever a WeightsError, no code run, no memory taken."""

from __future__ import annotations

import argparse
import io
import os
import pickletools
import struct
import tracemalloc
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from voicegraph.graph.files.file_errors import FormatError
from voicegraph.graph.files.models import WeightsError, open_archive
from voicegraph.graph.files.models._unpickling import unpickle

SENTINEL = "made-by-the-payload"
MOST_MEMORY = 2 << 20
"""Bytes; the files have 1 to 3 KB."""


class _Payload:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (SENTINEL,)


def _checkpoint() -> dict[str, object]:
    values = torch.arange(24.0).reshape(4, 6)
    return {
        "weight": OrderedDict({"a.b": values.half(), "c": torch.arange(5), "t": values.t()}),
        "config": [1, [2, 3], 0.5],
        "args": argparse.Namespace(a=1),
        "rate": np.float64(0.5),
        "bytes": b"abc",
    }


def _files() -> dict[str, bytes]:
    files = {}
    for zipped in (True, False):
        for payload in (True, False):
            made = io.BytesIO()
            more = {"payload": _Payload()} if payload else {}
            torch.save({**_checkpoint(), **more}, made, _use_new_zipfile_serialization=zipped)
            files[f"zip {zipped}, payload {payload}"] = made.getvalue()
    files["safetensors"] = save(
        {"a": torch.arange(24.0), "b": torch.arange(3)}, {"voicegraph": '{"kind": "voice"}'}
    )
    return files


FILES = _files()


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A file with bytes changed, taken out, put in or moved, or cut short."""
    data = bytearray(draw(st.sampled_from(list(FILES.values()))))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        how = draw(st.sampled_from(("flip", "flip", "flip", "number", "cut", "out", "in", "move")))
        if how == "flip":
            data[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif how == "number":
            value = draw(st.sampled_from((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 28)))
            data[at : at + 4] = struct.pack("<I", value)
        elif how == "cut":
            del data[at:]
        elif how == "out":
            del data[at : at + draw(st.integers(1, 40))]
        elif how == "in":
            data[at:at] = draw(st.binary(max_size=20))
        else:
            begin = draw(st.integers(0, max(len(data) - 1, 0)))
            data[at:at] = data[begin : begin + draw(st.integers(1, 60))]
    return bytes(data)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_damaged())
def test_damaged_files_raise_known_errors(place: Path, data: bytes) -> None:
    path = place / "voice.pth"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        archive = open_archive(path)
        assert sum(header.nbytes for header in archive.tensors.values()) <= 8 * len(data)
        archive.read(archive.tensors)
    except WeightsError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MOST_MEMORY
    assert [entry.name for entry in place.iterdir()] == ["voice.pth"]


def test_payloads_run_in_the_standard_unpickler(place: Path) -> None:
    """The test above can fail: PyTorch, told to trust such a file, runs what it holds."""
    path = place / "voice.pth"
    for name, data in FILES.items():
        if "payload True" in name:
            path.write_bytes(data)
            torch.load(path, weights_only=False)
            (place / SENTINEL).rmdir()


_GLOBALS = [
    b"ccollections\nOrderedDict\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"ctorch._utils\n_rebuild_parameter\n",
    b"ctorch._tensor\n_rebuild_from_type_v2\n",
    b"ctorch\nFloatStorage\n",
    b"ctorch\nSize\n",
    b"cargparse\nNamespace\n",
    b"cfairseq.data\nDictionary\n",
    b"c_codecs\nencode\n",
    b"c__builtin__\nset\n",
    b"ccopy_reg\n_reconstructor\n",
    b"cos\nsystem\n",
    b"X\x07\x00\x00\x00storage",
    b"X\x06\x00\x00\x00latin1",
]


def _opcode(opcode: pickletools.OpcodeInfo) -> st.SearchStrategy[bytes]:
    """An opcode with small arguments."""
    code = opcode.code.encode("latin-1")
    if opcode.arg is None:
        return st.just(code)
    if opcode.arg.n >= 0:
        return st.lists(
            st.sampled_from((0, 1, 2, 3, 255)), min_size=opcode.arg.n, max_size=opcode.arg.n
        ).map(lambda values: code + bytes(values))
    width = {-2: 1, -3: 4, -4: 4, -5: 8}.get(opcode.arg.n)
    if width is None:  # a line
        return st.sampled_from((b"0\n", b"1\n", b"abc\n", b"-1\n", b"")).map(lambda t: code + t)
    return st.integers(0, 4).map(lambda n: code + n.to_bytes(width, "little") + b"abc")


_ANY = st.one_of(st.sampled_from(_GLOBALS), *(_opcode(opcode) for opcode in pickletools.opcodes))


@settings(max_examples=1000)
@given(st.lists(_ANY, max_size=30), st.booleans())
def test_random_opcodes_raise_known_errors(opcodes: list[bytes], gathered: bool) -> None:
    head, tail = (b"(", b"t.") if gathered else (b"", b".")
    try:
        unpickle(io.BytesIO(b"\x80\x02" + head + b"".join(opcodes) + tail))
    except FormatError as refused:
        assert refused.message  # noqa: PT017
