"""The base of the test sources: position, stream number, and silence before time zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

import numpy as np
import torch

from voicegraph.graph import Node, NodeParams, PortSpec, State, Tensors


@dataclass
class SourceState(State):
    """Position of each stream.

    ``position`` ``[streams]`` int64: absolute index of the next value; 0 is at the first input
    sample of the session. It starts below zero if the plan delays the source. ``stream``
    ``[streams]``
    int64: number of the stream.
    """

    position: torch.Tensor
    stream: torch.Tensor


def first_position(spec: PortSpec, streams: int) -> torch.Tensor:
    """``[streams]`` int64: index of the first value of the first tick.

    A port that is asked for ``[end - block, end)`` starts at time ``end`` of the session. So the
    values of a source depend on time alone, not on block and latency.
    """
    return torch.full((streams,), int(spec.interval.end * spec.rate), dtype=torch.int64)


def grid(position: int, count: int, step: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """Positions of values ``position .. position + count - 1`` on a grid: ``step`` cells a value.

    Returns the cells, int64 ``[count]``, and the positions in them, float64 ``[count]`` in 0..1.
    The arithmetic is in integers, so there is no drift.
    """
    whole = (position + np.arange(count, dtype=np.int64)) * step.numerator
    return whole // step.denominator, (whole % step.denominator) / step.denominator


ParamsT = TypeVar("ParamsT", bound=NodeParams)


class Source(Node[ParamsT, SourceState], Generic[ParamsT]):
    """Base of sources whose values are a function of stream and absolute position."""

    def values(
        self, params: ParamsT, stream: int, position: int, count: int
    ) -> Mapping[str, np.ndarray]:
        """Values by output port, without the streams axis, from ``position`` (at least 0) on."""
        raise TypeError(f"{type(self).__name__} does not define values()")

    def state(self, params: ParamsT, streams: int) -> SourceState:
        """At the start of the session, streams numbered from 0."""
        spec = next(iter(self.asked.values()))
        return SourceState(first_position(spec, streams), torch.arange(streams))

    def process(self, inputs: Tensors, params: ParamsT, state: SourceState) -> Tensors:
        """One block."""
        count = next(iter(self.asked.values())).count  # all outputs of a source have one rate
        made = {p: torch.zeros(spec.shape(len(state.stream))) for p, spec in self.asked.items()}
        where = zip(state.stream.tolist(), state.position.tolist(), strict=True)
        for row, (stream, position) in enumerate(where):
            early = min(max(-position, 0), count)
            if early == count:
                continue
            found = self.values(params, stream, position + early, count - early)
            for port, values in found.items():
                axis = self.asked[port].type.time_axis - 1
                part = made[port][row].narrow(axis, early, count - early)
                part.copy_(torch.from_numpy(values))
        state.position += count
        return made
