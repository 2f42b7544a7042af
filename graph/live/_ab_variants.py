"""A/B comparison in a live session: two variants of a pipeline at matched loudness."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..runtime.hot_swap import HotSwap, plan_change
from ..startup_stages import begin_stage
from ._level_meters import GainMeter, trim_db
from ._swap_worker import PreparedSwap, SwapWorker, power

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ..runtime.session import Session
    from ._gain_switches import GainSwitches

NAMES = ("a", "b")


class Variants:
    """Keeps both variants ready; the one that is not played costs no compute time.

    Args:
        session: runs variant ``a``.
        swap_worker: swaps one variant for the other.
        switches: their ``trim`` matches the loudness.
        other: overrides that make variant ``b``.

    Attributes:
        name: the variant that is played.

    Raises:
        VoicegraphError: if ``b`` has mistakes, does not fit, or cannot be loaded.
    """

    def __init__(
        self,
        session: Session,
        swap_worker: SwapWorker,
        switches: GainSwitches,
        other: Mapping[str, Any],
    ) -> None:
        self.name = "a"
        self._session, self._swap_worker, self._switches = session, swap_worker, switches
        self._meters = {name: GainMeter() for name in NAMES}
        self._block_s = float(session.plan.block)
        self._played = "a"
        self._pending: tuple[CompiledPlan, str] | None = None
        begin_stage("building variant b")
        made = HotSwap(session, plan_change(session, other), other)
        self._ready = {"b": PreparedSwap(made.plan, made.overrides, made.base, made.engine)}

    def choose(self, name: str) -> Future[None]:
        """Swaps to ``a``, to ``b``, or to the ``other`` one; does nothing if that is played then.

        Waits until the swap before it is over.

        Returns:
            Done when the variant is played.

        Raises:
            StateError: if the swap before it does not end.
        """
        shown = "the other variant" if name == "other" else f"variant {name}"
        return self._swap_worker.begin(shown, lambda: self._prepare(name))

    def _prepare(self, name: str) -> PreparedSwap | None:
        """The swap, once it is the turn of this choice; None if the variant is played already."""
        wanted = NAMES[1 - NAMES.index(self.name)] if name == "other" else name
        if wanted == self.name:
            return None
        meter = self._meters[wanted]

        def on_processed(block: Any, made: Any) -> None:
            meter.take(math.sqrt(power(block)), math.sqrt(power(made)), self._block_s)

        session, left = self._session, self.name
        leaving = PreparedSwap(session.plan, dict(session.overrides), session.base)

        def on_swapped(swap: HotSwap) -> None:
            self._ready[left] = replace(leaving, engine=swap.retired)
            self.name = self._played = wanted

        ready = self._ready[wanted]
        self._pending = (ready.plan, wanted)
        return replace(ready, on_processed=on_processed, on_swapped=on_swapped)

    def measure(self, rms_in: float, made: np.ndarray) -> None:
        """Measures a played block ``[C, N]`` before the trim, and sets the trim.

        The block of the crossfade is the first one that is matched. ``on_swapped`` may be called
        some blocks later.
        """
        if self._pending is not None and self._session.plan is self._pending[0]:
            self._played, self._pending = self._pending[1], None
        rms_out = math.sqrt(float(np.square(made).mean()))
        self._meters[self._played].take(rms_in, rms_out, self._block_s)
        trim = trim_db(self._meters["a"], self._meters["b"]) if self._played == "b" else 0.0
        # A step below half a decibel is not worth a change of gain, which may be audible.
        if abs(trim - 20 * math.log10(self._switches.trim.target)) > 0.5:
            self._switches.trim.target = 10 ** (trim / 20)
