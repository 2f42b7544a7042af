"""Changes while a soak test runs: hot swaps of the whole pipeline, new values of live params."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voicegraph.graph.errors import VoicegraphError
from voicegraph.schemas.live_status import LiveParam

_PART = 0.02
"""Part of a param's range by which it moves."""

Swapper = Callable[[Mapping[str, Any]], object]
"""Swaps in the pipeline with overrides; raises VoicegraphError if it is refused."""
Setter = Callable[[str, Any], object]
"""Sets a live param; raises VoicegraphError if the value is refused."""


@dataclass(slots=True)
class SoakSchedule:
    """Carries out changes when they are due.

    Attributes:
        swap_every_s: seconds of audio between two hot swaps; 0: none.
        set_every_s: seconds of audio between two changes of a param; 0: none.
        swaps_until_s: the last time for a hot swap, so that it is over before the test is.
        swaps_begun: hot swaps that were begun.
        swaps_refused: hot swaps that were refused at once.
        params_set: changes of params that were accepted.
    """

    swap_every_s: float = 0.0
    set_every_s: float = 0.0
    swaps_until_s: float = math.inf
    swaps_begun: int = 0
    swaps_refused: int = 0
    params_set: int = 0
    _next_swap: float = field(default=-1.0)
    _next_set: float = field(default=-1.0)
    _set_calls: int = 0

    def next_due(self, now: float) -> float:
        """Time of the next change, in seconds of audio; infinite if there is none."""
        if self._next_swap < 0:  # the first changes come after one interval
            self._next_swap = now + self.swap_every_s if self.swap_every_s else math.inf
            self._next_set = now + self.set_every_s if self.set_every_s else math.inf
        return min(self._next_swap, self._next_set)

    def run_due(
        self, now: float, params: Callable[[], list[LiveParam]], swap: Swapper, set_param: Setter
    ) -> None:
        """Carries out what is due at ``now`` seconds of audio."""
        if now >= self.next_due(now) and now >= self._next_set:
            self._next_set = now + self.set_every_s
            self._set(params(), set_param)
        if now >= self._next_swap:
            self._next_swap = now + self.swap_every_s
            if self._next_swap > self.swaps_until_s:
                self._next_swap = math.inf
            try:
                # Another seed is the same pipeline with the same sound, in a new engine.
                swap({"seed": (self.swaps_begun + 1) % 2})
                self.swaps_begun += 1
            except VoicegraphError:
                self.swaps_refused += 1

    def _set(self, params: list[LiveParam], set_param: Setter) -> None:
        """Moves the next numeric param a little, and back the next time."""
        numeric = [param for param in params if _movable(param)]
        if not numeric:
            return
        param = numeric[self._set_calls % len(numeric)]
        back = self._set_calls // len(numeric) % 2
        self._set_calls += 1
        try:
            set_param(param.name, _moved(param, bool(back)))
            self.params_set += 1
        except VoicegraphError:
            pass  # a node may refuse a value for reasons that its range does not tell


def _movable(param: LiveParam) -> bool:
    return isinstance(param.value, float) and math.isfinite(param.value)


def _moved(param: LiveParam, back: bool) -> float:
    low, high = param.minimum, param.maximum
    bounded = low is not None and high is not None
    step = _PART * (high - low) if bounded else _PART * max(abs(param.value), 1.0)  # pyright: ignore
    if back:
        step = -step
    value = param.value + step
    if (low is not None and value < low) or (high is not None and value > high):
        value = param.value - step
    return value
