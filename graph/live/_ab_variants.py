"""A/B comparison in a live session: two variants of a pipeline at matched loudness."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..runtime.hot_swap import HotSwap, plan_change
from ..startup_stages import begin_stage
from ._level_meters import GainMeter, trim_db
from ._swap_worker import SwapWorker, power

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ..runtime.engine import Engine
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
        self._ready: dict[str, tuple[CompiledPlan, dict[str, Any], Engine | None]] = {
            "b": (made.plan, made.overrides, made.engine)
        }

    def choose(self, name: str) -> None:
        """Swaps to ``a``, to ``b``, or to the ``other`` one; does nothing if that is played now.

        Raises:
            StateError: if a swap is in progress.
        """
        wanted = NAMES[1 - NAMES.index(self.name)] if name == "other" else name
        if wanted == self.name:
            return
        plan, overrides, engine = self._ready[wanted]
        meter = self._meters[wanted]

        def on_processed(block: Any, made: Any) -> None:
            meter.take(math.sqrt(power(block)), math.sqrt(power(made)), self._block_s)

        left, leaving = self.name, (self._session.plan, dict(self._session.overrides))

        def on_swapped(swap: HotSwap) -> None:
            self._ready[left] = (*leaving, swap.retired)
            self.name = self._played = wanted

        self._pending = (plan, wanted)
        self._swap_worker.swap_to(
            f"variant {wanted}", plan, overrides, engine, on_processed, on_swapped
        )

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
