"""Two variants of a pipeline in one live session, heard by turns at one loudness."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..runtime.hot_swap import HotSwap, plan_change
from ._level_meters import GainMeter, trim_db
from ._swap_worker import SwapWorker, power

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ..runtime.engine import Engine
    from ..runtime.session import Session
    from ._gain_switches import GainSwitches

NAMES = ("a", "b")


class Variants:
    """Keeps both ready; the one that is not heard costs no time.

    Args:
        session: runs variant ``a``.
        exchanger: goes over from one to the other.
        switches: their ``trim`` matches the loudness.
        other: overrides that make variant ``b``.

    Attributes:
        name: which is heard.

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
        self._heard = "a"
        self._coming: tuple[CompiledPlan, str] | None = None
        made = HotSwap(session, plan_change(session, other), other)
        self._ready: dict[str, tuple[CompiledPlan, dict[str, Any], Engine | None]] = {
            "b": (made.plan, made.overrides, made.engine)
        }

    def choose(self, name: str) -> None:
        """Goes over to ``a``, ``b``, or the ``other`` one; nothing happens if it is heard already.

        Raises:
            StateError: if an exchange is under way.
        """
        wanted = NAMES[1 - NAMES.index(self.name)] if name == "other" else name
        if wanted == self.name:
            return
        plan, overrides, engine = self._ready[wanted]
        meter = self._meters[wanted]

        def on_processed(block: Any, made: Any) -> None:
            meter.take(math.sqrt(power(block)), math.sqrt(power(made)), self._block_s)

        left, leaving = self.name, (self._session.plan, dict(self._session.overrides))

        def done(swap: HotSwap) -> None:
            self._ready[left] = (*leaving, swap.retired)
            self.name = self._heard = wanted

        self._coming = (plan, wanted)
        self._swap_worker.choose(f"variant {wanted}", plan, overrides, engine, on_processed, done)

    def listen(self, rms_in: float, made: np.ndarray) -> None:
        """Takes a block ``[C, N]`` that is heard, before it is trimmed.

        The block of the crossfade is the first that is matched: who prepared the exchange may be
        told of its end some blocks later.
        """
        if self._coming is not None and self._session.plan is self._coming[0]:
            self._heard, self._coming = self._coming[1], None
        rms_out = math.sqrt(float(np.square(made).mean()))
        self._meters[self._heard].take(rms_in, rms_out, self._block_s)
        trim = trim_db(self._meters["a"], self._meters["b"]) if self._heard == "b" else 0.0
        # Steps below half a decibel are not worth a change that could be heard as one.
        if abs(trim - 20 * math.log10(self._switches.trim.target)) > 0.5:
            self._switches.trim.target = 10 ** (trim / 20)
