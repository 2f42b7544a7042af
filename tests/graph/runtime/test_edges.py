"""Edges: direct, sliced, with history, copied to another device."""

from __future__ import annotations

from fractions import Fraction
from unittest.mock import Mock

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.runtime._edges import (
    DeviceCopyEdge,
    DirectEdge,
    HistoryEdge,
    Slice,
    SlicedEdge,
)
from voicegraph.graph.signals import Audio, Features, Pitch

CPU = torch.device("cpu")


def test_direct_hands_the_very_tensor_on() -> None:
    values = [torch.empty(0)] * 3
    made = torch.ones(1, 1, 4)
    DirectEdge([Slice(0, 0, 4), Slice(2, 0, 4)])(values, made)
    assert values[0] is values[2] is made
    assert values[1].numel() == 0


def test_sliced_cuts_along_time() -> None:
    values = [torch.empty(0)] * 2
    made = torch.arange(24.0).view(1, 6, 4)  # features: 6 frames of 4
    SlicedEdge([Slice(0, 1, 3), Slice(1, 5, 1)], Features.time_axis)(values, made)
    assert torch.equal(values[0], made[:, 1:4])
    assert torch.equal(values[1], made[:, 5:])


KINDS = st.sampled_from([
    Audio(Fraction(1000), 2), Features(Fraction(50), 3), Pitch(Fraction(100))
])  # fmt: skip


@given(
    kind=KINDS,
    length=st.integers(1, 40),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    at=st.floats(0, 1),
)
def test_history_gives_each_reader_its_part(
    kind: Audio, length: int, sizes: list[int], at: float
) -> None:
    start = int(at * (length - 1))
    count = length - start
    history = HistoryEdge(kind, 2, length, [Slice(0, start, count), Slice(1, 0, 1)], CPU)
    values = [torch.empty(0)] * 2
    axis = kind.time_axis
    everything = torch.zeros(kind.shape(2, length))
    shown: list[tuple[torch.Tensor, torch.Tensor]] = []
    for number, size in enumerate(sizes):
        made = torch.full(kind.shape(2, size), number + 1.0) + torch.arange(2.0).view(
            2, *[1] * (len(everything.shape) - 1)
        )
        history(values, made)
        everything = torch.cat((everything, made), axis)
        newest = everything.narrow(axis, everything.shape[axis] - length, length)
        assert torch.equal(history.buffer, newest)
        assert torch.equal(values[0], newest.narrow(axis, start, count))
        assert torch.equal(values[1], newest.narrow(axis, 0, 1))
        shown = [*shown[-1:], (values[0], values[0].clone())]
        if len(shown) == 2:  # what was shown a tick ago is still whole: the other buffer has it
            assert torch.equal(*shown[0])


def test_moved_delivers_on_the_other_device() -> None:
    values = [torch.empty(0)]
    made = torch.ones(1, 1, 4)
    DeviceCopyEdge(DirectEdge([Slice(0, 0, 4)]), torch.device("meta"))(values, made)
    assert values[0].device.type == "meta"
    assert values[0].shape == (1, 1, 4)


@pytest.mark.parametrize(
    ("source", "target", "blocks"),
    [("cuda:0", "cpu", True), ("cpu", "cuda:0", True), ("cuda:0", "cuda:1", False)],
)
def test_only_copies_between_accelerators_do_not_block(
    source: str, target: str, blocks: bool
) -> None:
    made = Mock(spec=torch.Tensor, device=torch.device(source))
    DeviceCopyEdge(DirectEdge([]), torch.device(target))([], made)
    made.to.assert_called_once_with(torch.device(target), non_blocking=not blocks)
