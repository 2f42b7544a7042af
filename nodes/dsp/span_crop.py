"""Crops an input to the span of an output."""

from __future__ import annotations

import torch

from voicegraph.graph import PortSpec


def crop_to_span(values: torch.Tensor, given: PortSpec, asked: PortSpec) -> torch.Tensor:
    """A view of ``values`` over the span of ``asked``; ``given`` has the same rate and covers it.

    A window may cover more than was requested, a stream never does.
    """
    if given.count == asked.count:
        return values
    start = given.index(asked.interval.start)
    return values.narrow(given.type.time_axis, start, asked.count)
