"""The newest F0 of a session, off the first port of its plan that has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..ports import PortRef
from ..runtime.port_series import PortRecorder
from ..signals import Pitch

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ..runtime.session import Session


class NewestPitch:
    """Reads the F0 that the newest block has added; follows hot swaps."""

    def __init__(self) -> None:
        self._plan: CompiledPlan | None = None
        self._ref: PortRef | None = None

    def read(self, session: Session) -> np.ndarray | None:
        """F0 in Hz ``[T]``, 0 where unvoiced; None if there is none.

        Called by the thread that processes, after a block.
        """
        plan = session.plan
        if plan is not self._plan:
            self._plan, self._ref = plan, _pitch_port(plan)
        step = None if self._ref is None else session.engine.by_name.get(self._ref.node)
        if self._ref is None or step is None or self._ref.port not in step.outputs:
            return None
        newest = PortRecorder(plan.spec(self._ref), plan.block)
        newest.add(step.outputs[self._ref.port])
        return newest.series().values[:, 0]


def _pitch_port(plan: CompiledPlan) -> PortRef | None:
    """The first port with F0, in the order of the pipeline: that of the estimator."""
    for planned in plan.nodes:
        for port, spec in planned.asked.items():
            if isinstance(spec.type, Pitch):
                return PortRef(planned.name, port)
    return None
