"""Weights are counted wherever they are referenced, and once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph.metrics._weight_memory import weight_bytes
from voicegraph.graph.pipeline import Pipeline, node


class Holder:
    def __init__(self, **held: Any) -> None:
        vars(self).update(held)


@dataclass(slots=True)
class Slotted:
    table: np.ndarray


def test_in_modules_tables_and_objects_within_objects() -> None:
    held = Holder(
        net=torch.nn.Linear(3, 2),
        tables={"a": torch.zeros(5), "b": [np.zeros(4, np.float32), "text"]},
        voice=Holder(network=torch.nn.Sequential(torch.nn.Linear(2, 1)), card=None),
        slotted=Slotted(np.zeros(7, np.float32)),
        other=7,
    )
    assert weight_bytes(held) == 4 * (6 + 2 + 5 + 4 + 2 + 1 + 7)


def test_tensors_in_plain_attributes_count() -> None:
    module = torch.nn.Module()
    vars(module).update(kernels=[torch.zeros(3)], bias=torch.zeros(2))
    assert weight_bytes(Holder(module=module)) == 4 * 5


def test_what_is_shared_counts_once() -> None:
    net, table = torch.nn.Linear(3, 2), np.zeros(6, np.float32)
    first = Holder(net=net, again=net, weight=net.weight[:1], table=table, part=table[2:])
    second = Holder(net=net)
    assert weight_bytes(first) == 4 * (6 + 2 + 6)
    assert weight_bytes(first, second) == 4 * (6 + 2 + 6)
    vars(first).update(itself=first)
    assert weight_bytes(first) == 4 * (6 + 2 + 6)


def test_view_counts_its_whole_storage() -> None:
    assert weight_bytes(Holder(part=torch.zeros(10)[:2], rows=np.zeros((4, 2))[0])) == 40 + 64


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="needs oneDNN")
def test_onednn_tensors_count() -> None:
    assert weight_bytes(Holder(weight=torch.zeros(4, 3).to_mkldnn())) == 48


def test_nothing_is_counted_of_nodes_without_weights() -> None:
    plan = Pipeline(
        name="one", block="10ms", nodes={"gain": node("dsp.gain", "input")}, output="gain"
    ).compile()
    assert weight_bytes(plan.nodes[0].node) == 0
