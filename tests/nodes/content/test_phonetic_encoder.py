"""What all nodes with a phonetic encoder share: what is said when the file is not right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.content._phonetic_example import write

pytestmark = pytest.mark.parametrize("use", ["content.phonetic", "content.streaming"])


def _pipeline(use: str, weights: Path | None, **params: Any) -> Pipeline:
    return Pipeline(
        block="100ms",
        assets={"phonetic": weights},
        input={"rate": 16000},
        nodes={"content": {"use": use, "in": "input", "params": params}},
        output="content",
    )


def test_without_a_file(use: str) -> None:
    with pytest.raises(PipelineError, match="needs the file of a phonetic encoder") as caught:
        _pipeline(use, None).compile()
    assert "--set assets.phonetic=PATH" in str(caught.value)


def test_layer_that_is_not_there(use: str, tmp_path: Path) -> None:
    write(tmp_path / "encoder.safetensors")
    with pytest.raises(PipelineError, match="has 3 blocks, and not layer 4") as caught:
        _pipeline(use, tmp_path / "encoder.safetensors", layer=4).compile()
    assert "nodes.content.params.layer: 3" in str(caught.value)


def test_file_of_another_kind(use: str, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"no")
    with pytest.raises(PipelineError, match="a phonetic encoder is expected"):
        _pipeline(use, tmp_path / "a.safetensors").compile()
