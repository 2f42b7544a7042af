"""Latency compensation for whole signals: output aligned with the input and equally long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...runtime.session import Session

TapHook = Callable[[str, Sequence[Any]], None]
"""Called with a tapped port and what passed it, one array ``[1, ...]`` a tick."""


class LatencyCompensator:
    """Pushes audio through a session and drops its algorithmic latency.

    Sample ``i`` of all that comes out belongs to the same time as sample ``i * rate_out / rate_in``
    of all that went in.

    Args:
        session: with one stream, fresh.
        taps: ports to listen to.
        on_tap: takes what passed them.
    """

    def __init__(
        self, session: Session, taps: Sequence[str] = (), on_tap: TapHook | None = None
    ) -> None:
        self.session = session
        self.given = 0
        self._taps = tuple(taps)
        self._on_tap = on_tap
        self._late = session.plan.latency_out

    def push(self, samples: np.ndarray) -> np.ndarray:
        """``[channels, samples]`` in, what is ready out: ``[channels, samples]``, perhaps empty."""
        made = self.session.push(samples, self._taps)
        if self._on_tap is not None:
            for tap in self._taps:
                self._on_tap(tap, self.session.taps[tap])
        dropped = min(self._late, made.shape[-1])
        self._late -= dropped
        self.given += made.shape[-1] - dropped
        return made[:, dropped:]

    def finish(self, total: int) -> Iterator[np.ndarray]:
        """Silence goes in until ``total`` samples have come out since the beginning.

        As ``Session.flush`` does, but the taps hear it, too.
        """
        plan = self.session.plan
        silence = np.zeros((plan.source.channels, plan.samples_in), np.float32)
        while self.given < total:
            made = self.push(silence)
            surplus = max(0, self.given - total)
            yield made[:, : made.shape[-1] - surplus]
