"""The files that a plan reads and writes, as `check`, `explain` and `live` show them."""

from __future__ import annotations

from pathlib import Path

import pytest

import voicegraph
from voicegraph.app.reports import file_list
from voicegraph.graph.pipeline import Pipeline

CLONE = Path(voicegraph.__file__).resolve().parent
"""Where a newcomer works: the package is the clone."""


def test_what_comes_along_is_shown_without_the_folder_of_the_installation() -> None:
    (world,) = file_list.files_read(Pipeline.load("world").compile())
    assert world.path == "voicegraph/pipelines/world.yaml"


@pytest.mark.parametrize("folder", [Path.cwd().anchor, CLONE], ids=["elsewhere", "the clone"])
def test_files_that_are_written_have_the_path_that_can_be_typed(folder: str | Path) -> None:
    target = Path(folder) / "heard.wav"
    nodes = {"kept": {"use": "io.probe", "in": "input", "params": {"file": str(target)}}}
    pipeline = Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="kept")
    (written,) = file_list.files_written(pipeline.compile())
    assert Path(written.path) == target
