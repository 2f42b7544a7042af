"""The sessions that audio passes: a resampler where the block needs one, and the pipeline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from ...runtime.session import Session
from ...signals import Audio
from ._latency_compensation import LatencyCompensator, TapHook
from .input_conversion import ConversionPlan


class ConversionChain:
    """Converts audio piece by piece: time-aligned with the input, and equally long.

    Args:
        stack: closes the session of the resampler.
        plan: the plans for audio of the input's type.
        session: of ``plan.plan``: new, with one stream.
        taps: ports of the pipeline whose values are wanted.
        on_tap: receives these values.
    """

    def __init__(
        self,
        stack: ExitStack,
        plan: ConversionPlan,
        session: Session,
        taps: Sequence[str] = (),
        on_tap: TapHook | None = None,
    ) -> None:
        self._plan = plan
        self._links = [LatencyCompensator(session, taps, on_tap)]
        if plan.resampler is not None:
            resampler = stack.enter_context(plan.resampler.session())
            self._links.insert(0, LatencyCompensator(resampler))

    @property
    def silenced(self) -> int:
        """Blocks in which NaN or infinity was found and silenced."""
        return sum(link.session.nonfinite for link in self._links)

    def push(self, samples: np.ndarray, first: int = 0) -> np.ndarray:
        """Takes ``[channels, samples]``; returns the output that is ready, which may be empty.

        Args:
            samples: input, or what the sessions before ``first`` gave.
            first: session that takes it.

        Raises:
            SignalError: if a node fails, or a value is not finite.
        """
        for link in self._links[first:]:
            samples = link.push(samples)
        return samples

    def finish(self, taken: int, source: Audio) -> Iterator[np.ndarray]:
        """Flushes the sessions in turn, until the output is as long as the input.

        Args:
            taken: samples per channel that were pushed.
            source: type of the input.

        Raises:
            SignalError: as :meth:`push`.
        """
        for index, link in enumerate(self._links):
            last = link is self._links[-1]
            exact = taken * link.session.plan.output_type.rate / source.rate
            total = self._plan.length(taken, source) if last else math.ceil(exact)
            for made in link.finish(total):
                yield self.push(made, index + 1)
