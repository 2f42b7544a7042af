"""Messages about nodes that failed in a live session, and about its recording."""

from __future__ import annotations

from voicegraph.schemas.recording_state import RecordingState

from ..runtime.fault_recovery import Fault, Recovered
from .health import FALLING_BEHIND, LOW_SPACE_S, room_left


def fault_message(event: Fault | Recovered, dry: bool) -> str:
    """What happened, and what follows.

    Args:
        event: the failure, or its end.
        dry: whether the dry signal is played meanwhile (``on_late: dry``).
    """
    if isinstance(event, Recovered):
        node = event.node or "a node"
        return f"the output is back, {event.silent_s:.2f} s after {node} had failed"
    meanwhile = "the dry signal is played" if dry else "the output is silent"
    if event.retry_s is None:
        then = (
            f"it failed {event.attempts} times in a row, so {meanwhile} until you change one of "
            "its params, bypass it or swap it"
        )
    elif event.retry_s:
        then = f"{meanwhile}, and it is built anew in {event.retry_s:.0f} s"
    else:
        then = f"{meanwhile}, and its state is set up anew"
    return f"{event.text}; {then}"


class RecordingWatch:
    """Tells at once that a recording has stopped, and in time that the disk fills up."""

    def __init__(self) -> None:
        self._path: str | None = None
        self._stopped = self._low = self._behind = False

    def update(self, state: RecordingState) -> str | None:
        """The message about a new state; None if there is nothing new."""
        if state.path != self._path:  # another take
            self._path = state.path
            self._stopped = self._low = self._behind = False
        if state.stopped is not None and not self._stopped:
            self._stopped = True
            at = f"{state.recorded_s:.0f} s"
            return f"the recording {state.path} has stopped after {at}: {state.stopped}"
        if self._stopped:
            return None
        late, self._behind = self._behind, state.behind > (0.1 if self._behind else FALLING_BEHIND)
        if self._behind and not late:
            return f"the recording {state.path} is falling behind: the disk is slow"
        if state.left_s is None:
            return None
        was, self._low = self._low, state.left_s < LOW_SPACE_S
        if self._low and not was:
            return f"the disk has room for {room_left(state.left_s)} of the recording {state.path}"
        return None


class FileWatch:
    """Tells at once that a file which a node writes has a gap, or has ended."""

    def __init__(self) -> None:
        self._told = 0

    def update(self, faults: list[str]) -> list[str]:
        """The messages about new faults; that a gap grows is not told again."""
        if len(faults) <= self._told:
            return []
        self._told = len(faults)
        return faults
