"""Small checkpoints, as PyTorch writes them and as somebody with bad intentions would."""

from __future__ import annotations

import argparse
import io
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

Zipped = Callable[..., Path]
FLOAT_STORAGE = b"ctorch\nFloatStorage\n"


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    """Tensors of every type, shape and layout that checkpoints have."""
    values = torch.randn(4, 6, generator=_generator())
    shared = torch.randn(10, generator=_generator())
    return {
        "float32": values,
        "half.with.dots": values.half(),
        "bfloat16": values.bfloat16(),
        "double": values.double(),
        "transposed": values.t(),
        "every other": values[::2, 1:5:3],
        "part": shared[3:7],
        "other part": shared[5:],
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(3.5),
        "int64": torch.arange(5),
        "int8": torch.arange(-3, 3, dtype=torch.int8),
        "bool": torch.tensor([[True, False], [False, True]]),
        "parameter": torch.nn.Parameter(values[0].clone(), requires_grad=False),
    }


@pytest.fixture
def checkpoint(weights: dict[str, torch.Tensor]) -> dict[str, Any]:
    """As a voice file is laid out, with things that fairseq files have besides."""
    state = OrderedDict(weights)
    state._metadata = OrderedDict({"": {"version": 1}})  # pyright: ignore[reportAttributeAccessIssue]
    return {
        "weight": state,
        "config": [1025, 32, [3, 7], "1", None, 0.5, -3, 1 << 40],
        "version": "v2",
        "f0": 1,
        "flags": (True, False),
        "bytes": b"\x00\xff",
        "args": argparse.Namespace(layers=12, nested={"a": [1]}),
        "steps": {7: torch.ones(2)},
    }


@pytest.fixture
def zipped(tmp_path: Path) -> Zipped:
    """``zipped(pickle, values={"0": bytes})``: a zip as PyTorch lays it out, of a pickle made by
    hand."""

    def make(
        pickle: bytes,
        values: Mapping[str, bytes] | None = None,
        *,
        method: int = zipfile.ZIP_STORED,
        records: Mapping[str, bytes] | None = None,
    ) -> Path:
        path = tmp_path / "made.pth"
        with zipfile.ZipFile(path, "w", method) as file:
            file.writestr("archive/data.pkl", pickle)
            for key, data in (values or {}).items():
                file.writestr(f"archive/data/{key}", data)
            for name, data in (records or {}).items():
                file.writestr(name, data)
        return path

    return make


def storage(numel: int, key: bytes = b"0", kind: bytes = FLOAT_STORAGE) -> bytes:
    """Opcodes that push a storage."""
    name = b"X" + struct.pack("<I", len(key)) + key
    count = b"\x8a\x08" + struct.pack("<q", numel)
    return b"(X\x07\x00\x00\x00storage" + kind + name + b"X\x03\x00\x00\x00cpu" + count + b"tQ"


def tensor(
    numel: int, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0, **more: bytes
) -> bytes:
    """Opcodes that push a tensor over a storage of ``numel`` float32 values."""

    def counts(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", v) for v in values) + b"t"

    parts = [
        b"ctorch._utils\n_rebuild_tensor_v2\n(",
        storage(numel, **more),
        b"\x8a\x08" + struct.pack("<q", offset),
        counts(shape),
        counts(stride),
        b"\x89ccollections\nOrderedDict\n)RtR",
    ]
    return b"".join(parts)


def pickled(*items: tuple[str, bytes]) -> bytes:
    """A pickle of a dict: names, and opcodes that push their values."""
    made = io.BytesIO()
    made.write(b"\x80\x02}(")
    for name, opcodes in items:
        made.write(b"X" + struct.pack("<I", len(name)) + name.encode() + opcodes)
    made.write(b"u.")
    return made.getvalue()


@pytest.fixture
def opcodes() -> argparse.Namespace:
    """The functions above, for hand-made pickles."""
    return argparse.Namespace(storage=storage, tensor=tensor, pickled=pickled)
