"""Latency compensation: output that is time-aligned with the input and equally long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...errors import NodeFailedError
from ...runtime.session import Session

TapHook = Callable[[str, Sequence[Any]], None]
"""Called with a tapped port and its values, one array ``[1, ...]`` per tick."""


class LatencyCompensator:
    """Pushes audio through a session and removes its algorithmic latency.

    Output sample ``i`` has the same time as input sample ``i * rate_in / rate_out``.

    Args:
        session: new, with one stream.
        taps: ports whose values are wanted.
        on_tap: receives these values.

    Attributes:
        given: output samples so far.
    """

    def __init__(
        self, session: Session, taps: Sequence[str] = (), on_tap: TapHook | None = None
    ) -> None:
        self.session = session
        self.given = 0
        self._taps = tuple(taps)
        self._on_tap = on_tap
        self._latency = session.plan.latency_out

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Takes ``[channels, samples]``; returns the output that is ready, which may be empty.

        Raises:
            NodeFailedError: if a node fails; says at which second of the input.
        """
        try:
            made = self.session.push(samples, self._taps)
        except NodeFailedError as error:
            error.second = float(self.session.position * self.session.plan.block)
            raise
        if self._on_tap is not None:
            for tap in self._taps:
                self._on_tap(tap, self.session.taps[tap])
        dropped = min(self._latency, made.shape[-1])
        self._latency -= dropped
        self.given += made.shape[-1] - dropped
        return made[:, dropped:]

    def finish(self, total: int) -> Iterator[np.ndarray]:
        """Pushes silence until ``total`` samples have come out in all.

        Like ``Session.flush``, but the taps receive it, too.
        """
        plan = self.session.plan
        silence = np.zeros((plan.source.channels, plan.samples_in), np.float32)
        while self.given < total:
            made = self.push(silence)
            surplus = max(0, self.given - total)
            yield made[:, : made.shape[-1] - surplus]
