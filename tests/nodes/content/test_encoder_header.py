"""Sizes of encoders, read once for each version of a file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from voicegraph.graph import WeightsError
from voicegraph.nodes.content import _encoder_header
from voicegraph.nodes.content._encoder_header import encoder_sizes
from voicegraph.nodes.content.hubert_example import SIZES, write


def test_header_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "encoder.safetensors")
    assert encoder_sizes(tmp_path / "encoder.safetensors") == SIZES
    monkeypatch.setattr(_encoder_header, "open_encoder", None)
    assert encoder_sizes(tmp_path / "encoder.safetensors") == SIZES


@pytest.mark.parametrize("folder", [False, True])
def test_replaced_file_is_read_again(folder: bool, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    path = tmp_path if folder else file
    write(file)
    assert encoder_sizes(path) == SIZES
    other = dataclasses.replace(SIZES, projection=None)
    write(file, other)
    assert encoder_sizes(path) == other


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no such file"):
        encoder_sizes(tmp_path / "none.safetensors")
