"""Which part of what a node is given belongs to what it is asked for."""

from __future__ import annotations

import torch

from voicegraph.graph import PortSpec


def crop_to_span(values: torch.Tensor, given: PortSpec, asked: PortSpec) -> torch.Tensor:
    """A view of the span that ``asked`` covers; ``given`` has the same rate and covers it.

    A window may be given with a surplus at its rim, a stream never is.
    """
    if given.count == asked.count:
        return values
    start = given.index(asked.interval.start)
    return values.narrow(given.type.time_axis, start, asked.count)
