"""The session at the begin of a recording that begins while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from voicegraph.schemas.engine_setup import EngineSetup

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from .snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class RecordingStart:
    """The session at the begin of a recording.

    Attributes:
        plan: that runs.
        setup: how its engine is set up.
        snapshot: states, histories and live params; its position is 0.
        position: ticks that the session had processed.
        last: newest output of each stream and channel, ``[streams, channels, 1]``, from which a
            failure would fade out.
        silent: a node has failed, and the output is silent.
    """

    plan: CompiledPlan
    setup: EngineSetup
    snapshot: Snapshot
    position: int
    last: torch.Tensor | None
    silent: bool
