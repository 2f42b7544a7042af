"""Crops an input to the span of an output."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from voicegraph.graph import PortSpec


@dataclass(frozen=True, slots=True)
class SpanCrop:
    """Where the span of an output lies in an input of the same rate that covers it.

    A window may cover more than was requested, a stream never does.

    Attributes:
        axis: the time axis.
        start: index of the first value of the output's span.
        count: values in it.
    """

    axis: int
    start: int
    count: int

    @classmethod
    def between(cls, given: PortSpec, asked: PortSpec) -> SpanCrop:
        """The crop from what an input is given to what an output is asked for."""
        return cls(given.type.time_axis, given.index(asked.interval.start), asked.count)

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """A view of ``values`` over the span, or the tensor itself if it is no longer."""
        if values.shape[self.axis] == self.count:
            return values
        return values.narrow(self.axis, self.start, self.count)
