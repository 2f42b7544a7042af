"""The lines of a recording after the first: what happened at which tick, one kind a class.

:data:`EVENT_KINDS` names each kind by the key that only its lines have. A replay applies
:data:`Change` events; all others are observations, which it lists.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from voicegraph.schemas.engine_setup import EngineSetup
from voicegraph.schemas.recording import MOST_STREAMS, RecordedFile
from voicegraph.schemas.report import Report

MOST_MARK_CHARACTERS = 1000
"""Characters in the text of a mark."""
Tick = Annotated[int, Field(strict=True, ge=0, le=1 << 53)]
"""Blocks since the session began."""
Stream = Annotated[int, Field(strict=True, ge=0, lt=MOST_STREAMS)] | None
"""A stream of the session; null for all."""
_Number = Annotated[float, Field(strict=True)]
_Count = Annotated[int, Field(strict=True, ge=0)]
_Name = Annotated[str, Field(min_length=1, max_length=1000)]


class RecordedEvent(Report):
    """Base of all events."""

    tick: Tick
    """The block in which, or before which, it happened."""

    @property
    def text(self) -> str:
        """What happened, in a few words."""
        raise NotImplementedError


class ParamEvent(RecordedEvent):
    """A live param has a new value from the tick on."""

    set: _Name
    """``node.param``."""
    value: Any
    """The value, as ``graph/runtime/param_values.py`` writes it."""
    stream: Stream
    """The stream it changed for."""

    @property
    def text(self) -> str:
        """``low.db = -12``."""
        return f"{self.set} = {self.value}"


class ResetEvent(RecordedEvent):
    """The state was reset before the tick."""

    reset: Literal[True]
    """Marks the kind."""
    stream: Stream
    """The stream that was reset."""

    @property
    def text(self) -> str:
        """``reset``."""
        return "reset"


class SwapEvent(RecordedEvent):
    """A hot swap: state was transferred before ``begun``, the crossfade was at ``tick``."""

    exchange: dict[str, Any]
    """Overrides by dotted path, complete."""
    begun: Tick
    """The block before which the state was transferred."""
    plan: str
    """Hash of the new plan."""
    files: list[RecordedFile]
    """Files that the new plan reads."""
    document: dict[str, Any] | None = None
    """The pipeline that the overrides belong to, if it is not that of the header, because a profile
    was chosen."""
    swapped: list[str] = []
    """Nodes of that pipeline whose type was changed by an override."""
    profiles: list[str] = []
    """Profiles in force in that pipeline."""
    setup: EngineSetup | None = None
    """Threads and precisions of the new engine, which a replay uses; null in older recordings."""

    @model_validator(mode="after")
    def _in_order(self) -> SwapEvent:
        if self.begun > self.tick:
            raise ValueError(f"a swap that began at {self.begun} and ended at {self.tick}")
        return self

    @property
    def text(self) -> str:
        """The overrides."""
        changes = [f"{path}={value}" for path, value in self.exchange.items()]
        if self.document is not None:
            changes.insert(0, f"profile {' '.join(self.profiles) or 'none'}")
        return f"changed: {', '.join(changes) or 'overrides removed'}"


class FaultEvent(RecordedEvent):
    """A node failed, and the output was silent from the tick on."""

    model_config = ConfigDict(extra="ignore")

    fault: str | None
    """The node; null if it is not known which."""
    error: str
    """Why."""

    @property
    def text(self) -> str:
        """The node and the cause."""
        return f"{self.fault or 'the pipeline'} failed: {self.error}"


class RecoveredEvent(RecordedEvent):
    """The output is back from the tick on, after a failure."""

    model_config = ConfigDict(extra="ignore")

    recovered: Literal[True]
    """Marks the kind."""

    @property
    def text(self) -> str:
        """``running again``."""
        return "running again after the failure"


Change = ParamEvent | ResetEvent | SwapEvent | FaultEvent | RecoveredEvent
"""Events that decide what the output is."""


class _Observation(RecordedEvent):
    """An event without effect on the output of a replay; later versions may say more about it."""

    model_config = ConfigDict(extra="ignore")


class LateEvent(_Observation):
    """An overrun."""

    late: _Number
    """By how many milliseconds."""
    blamed: str | None = None
    """The node that it is attributed to."""

    @property
    def text(self) -> str:
        """Length and node."""
        return f"overrun by {self.late:.1f} ms: {self.blamed or 'no node'}"


class DroppedEvent(_Observation):
    """Input blocks were dropped."""

    dropped: _Count
    """How many."""

    @property
    def text(self) -> str:
        """How many."""
        return f"{self.dropped} blocks dropped"


class RealignedEvent(_Observation):
    """The delay between the devices was corrected by a jump."""

    realigned: _Number
    """By how many milliseconds."""

    @property
    def text(self) -> str:
        """By how much."""
        return f"delay corrected by {self.realigned:+.1f} ms"


class SilenceEvent(_Observation):
    """Blocks of silence were not processed."""

    silence: _Count
    """How many, since the session began."""

    @property
    def text(self) -> str:
        """How many."""
        return f"{self.silence} silent blocks skipped"


class MarkEvent(_Observation):
    """A mark that a user has put."""

    mark: Annotated[str, Field(max_length=MOST_MARK_CHARACTERS)]
    """Its text, which may be empty."""

    @property
    def text(self) -> str:
        """The text."""
        return f"mark: {self.mark}" if self.mark else "mark"


class UnknownEvent(RecordedEvent):
    """An event of a kind that this version does not know, or of a driver of one's own."""

    model_config = ConfigDict(extra="allow")

    @property
    def kind(self) -> str:
        """The first key, which names the kind."""
        return next(iter(self.__pydantic_extra__ or {}), "")

    @property
    def text(self) -> str:
        """All keys and values."""
        found = self.__pydantic_extra__ or {}
        return ", ".join(f"{key}: {value}" for key, value in found.items())


EVENT_KINDS: dict[str, type[RecordedEvent]] = {
    "set": ParamEvent,
    "reset": ResetEvent,
    "exchange": SwapEvent,
    "fault": FaultEvent,
    "recovered": RecoveredEvent,
    "late": LateEvent,
    "dropped": DroppedEvent,
    "realigned": RealignedEvent,
    "silence": SilenceEvent,
    "mark": MarkEvent,
}
"""The key that only lines of this kind have -> its model."""


def event_model(line: dict[str, Any]) -> type[RecordedEvent]:
    """The model for a line's keys."""
    return next((EVENT_KINDS[key] for key in EVENT_KINDS if key in line), UnknownEvent)
