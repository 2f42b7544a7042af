"""Numbers, text and settings, whatever a library wrapped them in; and nothing is run for it."""

from __future__ import annotations

import argparse
import collections
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.files.models import Inert, WeightsError, open_archive
from voicegraph.graph.files.models.plain_values import plain_value


def _read(value: object, path: Path, protocol: int = 2, zipped: bool = True) -> Any:
    torch.save(
        {"value": value, "t": torch.zeros(3)},
        path,
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=zipped,
    )
    archive = open_archive(path)
    assert isinstance(archive.tree, dict)
    return plain_value(archive, archive.tree["value"])


NUMBERS = [
    *(kind(7) for kind in (np.int8, np.uint8, np.int16, np.int32, np.uint64, np.int64)),
    *(kind(7) for kind in (np.float16, np.float32, np.float64)),
    *(np.array(7, kind) for kind in ("i4", ">i4", "<f8", ">f8")),
    *(torch.tensor(7, dtype=kind) for kind in (torch.int64, torch.float32, torch.bfloat16)),
    *(torch.nn.Parameter(torch.tensor(7.0)), 7, 7.0),
]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_numbers_of_every_type(tmp_path: Path, protocol: int, zipped: bool) -> None:
    found = _read(NUMBERS, tmp_path / "f.pth", protocol, zipped)
    assert found == [7] * len(NUMBERS)
    assert {type(number) for number in found} <= {int, float}


@pytest.mark.parametrize("protocol", [2, 5])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.bool_(True), True),
        (torch.tensor(False), False),
        (np.str_("v2"), "v2"),
        (np.bytes_(b"v2"), "v2"),
        (b"v2", "v2"),
        (np.array([10, 8, 2]), [10, 8, 2]),
        (np.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
        (np.asfortranarray(np.arange(6).reshape(2, 3)), [[0, 1, 2], [3, 4, 5]]),
        (np.array([1, "a", None], dtype=object), [1, "a", None]),
        (torch.tensor([[1, 3, 5], [1, 3, 5]]), [[1, 3, 5], [1, 3, 5]]),
        (torch.Size([1, 2]), [1, 2]),
        ((1, (2, [3])), [1, [2, [3]]]),
        ({1, }, [1]),
        (collections.OrderedDict(a=np.int64(1)), {"a": 1}),
        (argparse.Namespace(heads=np.int64(12), inner=argparse.Namespace(a=1)),
         {"heads": 12, "inner": {"a": 1}}),
        (None, None),
    ],
    ids=repr,
)  # fmt: skip
def test_containers_and_text(tmp_path: Path, value: object, expected: Any, protocol: int) -> None:
    assert _read(value, tmp_path / "f.pth", protocol) == expected


def test_infinite_numbers_are_read_too(tmp_path: Path) -> None:
    found = _read([torch.tensor(torch.inf), np.float32("nan")], tmp_path / "f.pth")
    assert found[0] == float("inf")
    assert found[1] != found[1]


@given(
    value=st.one_of(
        st.integers(-(2**31), 2**31 - 1).map(np.int32),
        st.floats(allow_nan=False, width=32).map(np.float32),
        st.lists(st.integers(0, 255), min_size=1, max_size=9).map(lambda x: np.array(x, "u1")),
        st.text("abé\N{GRINNING FACE}", max_size=4).map(np.str_),
    ),
    protocol=st.sampled_from([2, 3, 4, 5]),
)
def test_any_numpy_value(
    tmp_path_factory: pytest.TempPathFactory, value: Any, protocol: int
) -> None:
    path = tmp_path_factory.mktemp("any") / "f.pth"
    assert _read(value, path, protocol) == value.tolist()


def test_large_tensors_are_no_settings(tmp_path: Path) -> None:
    assert _read(torch.zeros(100), tmp_path / "f.pth") is None
    assert _read([torch.tensor(1)] * 1000, tmp_path / "f.pth").count(None) > 900


def test_shared_parts_do_not_multiply(tmp_path: Path) -> None:
    """A "billion laughs" of lists costs no more than a limit."""
    torch.save({"t": torch.zeros(3)}, tmp_path / "f.pth")
    level: list[Any] = [1]
    for _ in range(14):
        level = [level] * 9
    found = plain_value(open_archive(tmp_path / "f.pth"), level)
    assert isinstance(found, list)
    assert found[-1] is None


ODD = [
    Inert("numpy._core.multiarray.scalar", ()),
    Inert("numpy._core.multiarray.scalar", (Inert("numpy.dtype", ("i8",)), b"short")),
    Inert("numpy._core.multiarray.scalar", (Inert("numpy.dtype", ("O8",)), Inert("x.Y"))),
    Inert("numpy._core.multiarray.scalar", (Inert("numpy.dtype", (7,)), b"")),
    Inert("numpy._core.multiarray._reconstruct", (), (1, (1 << 40,), None, False, b"")),
    Inert("numpy._core.multiarray._reconstruct", (), (1, (-1,), None, False, b"")),
    Inert("numpy._core.multiarray._reconstruct", (), "state"),
    Inert("numpy._core.numeric._frombuffer", (b"", None)),
    Inert("numpy._core.numeric._frombuffer", (b"\xff", Inert("numpy.dtype", ("U1",)), (), "C")),
    Inert("fairseq.x.Y", (1, 2)),
    Inert("builtins.int", ("7",)),
    b"\xff\xfe",
    object(),
]


@pytest.mark.parametrize("value", ODD)
def test_odd_objects_are_no_errors(tmp_path: Path, value: object) -> None:
    torch.save({"t": torch.zeros(3)}, tmp_path / "f.pth")
    found = plain_value(open_archive(tmp_path / "f.pth"), value)
    assert found is None or isinstance(found, (Inert, str))


def test_self_containing_objects_end(tmp_path: Path) -> None:
    torch.save({"t": torch.zeros(3)}, tmp_path / "f.pth")
    loop = Inert("argparse.Namespace", ())
    loop.state = {"self": loop, "a": 1}
    found = plain_value(open_archive(tmp_path / "f.pth"), loop)
    assert isinstance(found, dict)
    assert found["a"] == 1


def test_a_numpy_scalar_of_a_called_object_runs_nothing(tmp_path: Path) -> None:
    """An object scalar is the only NumPy scalar that could carry a call."""
    pickled = pickle.dumps(np.array([print], dtype=object), 2)
    assert b"print" in pickled
    torch.save({"a": np.array([print], dtype=object)}, tmp_path / "f.pth")
    with pytest.raises(Exception, match=r"builtins\.print"):
        open_archive(tmp_path / "f.pth")


def test_large_arrays_in_a_pickle_are_named(tmp_path: Path) -> None:
    torch.save({"weight": np.zeros(3 << 20)}, tmp_path / "f.pth")
    with pytest.raises(WeightsError, match="arrays or other objects are stored in it") as caught:
        open_archive(tmp_path / "f.pth")
    assert "torch.from_numpy" in str(caught.value)
