"""The interface through which a session writes its recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch

from voicegraph.schemas.engine_setup import EngineSetup
from voicegraph.schemas.recording_state import RecordingState

from ..plan import CompiledPlan, PlanOrigin
from .live_params import Change

if TYPE_CHECKING:
    from .recording_start import RecordingStart


class Recorder(Protocol):
    """Records a session tick by tick; ``graph/files/recordings`` holds the implementation."""

    def begin(self, start: RecordingStart) -> None:
        """Is told the state of the session before the first block, if that is not its first.

        Called between two blocks, by the thread that processes.
        """

    def block(self, block: torch.Tensor) -> None:
        """The input of one tick, ``[streams, channels, samples]``."""

    def output(self, made: torch.Tensor) -> None:
        """The output of one tick, ``[streams, channels, samples]``."""

    def control(self, tick: int, change: Change) -> None:
        """A live param changed; the new value is in force from ``tick``."""

    def reset(self, tick: int, stream: int | None) -> None:
        """State was reset before ``tick``."""

    def describe_exchange(
        self,
        overrides: dict[str, Any],
        plan: CompiledPlan,
        base: PlanOrigin | None,
        setup: EngineSetup,
    ) -> dict[str, Any]:
        """The event of a hot swap, without its ticks. Reads files: it takes time.

        Args:
            overrides: the complete overrides.
            plan: the plan that they give.
            base: the pipeline that they belong to.
            setup: threads and precisions of the new engine.
        """
        ...

    def event(self, tick: int, **what: Any) -> None:
        """An event of a driver, such as an overrun, at a tick."""

    @property
    def state(self) -> RecordingState:
        """Whether it still records, and the space that is left; read often, from any thread."""
        ...

    def close(self) -> None:
        """Finishes the recording."""
