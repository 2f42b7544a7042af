"""Intermediate files are written completely or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import OutputError
from voicegraph.training.common import atomic_files


def test_files_are_read_as_written(tmp_path: Path) -> None:
    ramp = np.arange(5, dtype=np.int16)
    atomic_files.write_audio(tmp_path / "new" / "a.flac", ramp, 16000)
    atomic_files.write_array(tmp_path / "new" / "a.npy", ramp)
    atomic_files.write_arrays(tmp_path / "new" / "a.npz", ramp=ramp)
    atomic_files.write_text(tmp_path / "new" / "a.json", "{}")
    np.testing.assert_array_equal(
        soundfile.read(tmp_path / "new" / "a.flac", dtype="int16")[0], ramp
    )
    np.testing.assert_array_equal(np.load(tmp_path / "new" / "a.npy"), ramp)
    with np.load(tmp_path / "new" / "a.npz") as held:
        np.testing.assert_array_equal(held["ramp"], ramp)
    assert len(list((tmp_path / "new").iterdir())) == 4


def test_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, *_: object, **__: object) -> None:
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(atomic_files.soundfile, "write", fail)
    with pytest.raises(OutputError, match="disk full"):
        atomic_files.write_audio(tmp_path / "new" / "a.flac", np.zeros(5), 16000)
    assert list(tmp_path.iterdir()) == []
