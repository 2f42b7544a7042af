"""A node that reads a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from voicegraph.graph import registry
from voicegraph.graph.node import FilePath, Node, NodeParams, Tensors
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio


class Reading(Node):
    """Scales by the size of its file."""

    class Params(NodeParams):
        file: FilePath

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        return {"out": inputs["audio"] * params.file.stat().st_size}


@pytest.fixture
def _reading_node() -> Iterator[str]:
    with registry.isolated({"test.reading": Reading}):
        yield "test.reading"
