"""Files of features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicegraph.graph.errors import InputError
from voicegraph.training.index.feature_files import feature_files, read_features

from .conftest import clumps


def test_folders_are_read_by_name_in_any_precision(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name, kind in (("b", np.float16), ("a", np.float64), ("more/c", np.float32)):
        np.save(tmp_path / f"{name}.npy", clumps(10).astype(kind) + ord(name[-1]))
    (tmp_path / "notes.txt").write_text("no features", encoding="utf-8")
    found = read_features(feature_files([tmp_path]))
    assert found.dtype == np.float32
    assert found.mean(1)[::10].round().tolist() == [97, 98, 99]


def test_one_file_may_be_in_column_order(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.asfortranarray(clumps(10)))
    found = read_features(feature_files([tmp_path / "a.npy"]))
    np.testing.assert_array_equal(found, clumps(10))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((3, 4, 5), np.float32), r"found float32 \[3, 4, 5\]"),
        (np.zeros((3, 4), np.int64), r"found int64 \[3, 4\]"),
        (np.zeros((0, 4), np.float32), r"found float32 \[0, 4\]"),
        (np.array([[{}]], object), r"found object \[1, 1\]"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, values: np.ndarray, said: str) -> None:
    np.save(tmp_path / "a.npy", values, allow_pickle=True)
    with pytest.raises(InputError, match=said):
        feature_files([tmp_path / "a.npy"])


def test_hostile_files_are_refused_by_their_headers(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", clumps(10))
    whole = (tmp_path / "a.npy").read_bytes()
    for text, said in (
        (whole.replace(b"(10, 16)", b"(99, 16)"), r"declares \[99, 16\] values"),
        (whole[:-1], r"declares \[10, 16\] values, and 639 bytes follow"),
        (b"PK\x03\x04" + whole, "no array of numpy's"),
        (b"", "no array of numpy's"),
    ):
        (tmp_path / "b.npy").write_bytes(text)
        with pytest.raises(InputError, match=said):
            feature_files([tmp_path / "b.npy"])


def test_missing_files_empty_folders_and_two_widths(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothere\.npy cannot be read"):
        feature_files([tmp_path / "nothere.npy"])
    with pytest.raises(InputError, match=r"holds no \.npy files"):
        feature_files([tmp_path])
    np.save(tmp_path / "a.npy", clumps(10))
    np.save(tmp_path / "b.npy", clumps(10)[:, :8])
    with pytest.raises(InputError, match=r"features of 8 values, .*a\.npy of 16"):
        feature_files([tmp_path])


def test_features_beyond_memory_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "a.npy", clumps(100))
    monkeypatch.setenv("VOICEGRAPH_MEMORY", "8KB")
    with pytest.raises(InputError, match="the index needs at least"):
        read_features(feature_files([tmp_path]))
