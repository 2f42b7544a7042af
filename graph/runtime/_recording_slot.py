"""The recording of a session: from its first block on, or from one to another while it runs.

A recording that begins later holds the state of the session at its begin. The thread that processes
copies that state between two blocks. Files are opened, written and closed on other threads, so that
no block waits for a disk.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from ..errors import Problem, StateError
from .engine_setup import setup_of
from .recording_start import RecordingStart

if TYPE_CHECKING:
    from ._recorder_protocol import Recorder
    from .engine import Engine
    from .fault_recovery import Silencer
    from .snapshot import Snapshot

_PATIENCE_S = 1.0
"""How long :meth:`RecordingSlot.end` waits for the border between two blocks."""


class RecordableSession(Protocol):
    """What a recording reads of the session when it begins."""

    engine: Engine
    position: int
    recovery: Silencer | None

    @property
    def swapping(self) -> bool:
        """Whether a hot swap is in progress."""
        ...

    def snapshot(self) -> Snapshot:
        """The complete state."""
        ...


class RecordingSlot:
    """Holds the recorder of a session, if there is one.

    Attributes:
        recorder: gets every block; None if nothing is recorded.
    """

    def __init__(self) -> None:
        self.recorder: Recorder | None = None
        self._opened: Recorder | None = None
        self._begins: Recorder | None = None
        self._ended: threading.Event | None = None
        self._turn = threading.Lock()  # one thread begins or ends at a time
        self._describing = threading.Lock()  # a hot swap is described for the recorder

    # ---- the thread that processes --------------------------------------------------------------

    @property
    def changes(self) -> bool:
        """Whether a recording is to begin or to end."""
        return self._begins is not None or self._ended is not None

    def change(self, session: RecordableSession) -> None:
        """Begins or ends a recording, between two blocks.

        During a hot swap none begins: the new engine holds state from before.
        """
        if self._ended is not None:
            self.recorder = self._begins = None
            self._ended.set()
            self._ended = None
        recorder = self._begins
        if recorder is None or session.swapping or not self._describing.acquire(blocking=False):
            return
        try:
            recorder.begin(_start_of(session))
            self.recorder, self._begins = recorder, None
        finally:
            self._describing.release()

    # ---- other threads --------------------------------------------------------------------------

    @contextmanager
    def describing(self) -> Iterator[Recorder | None]:
        """The recorder for which a hot swap is described; none begins meanwhile."""
        with self._describing:
            yield self.recorder

    @property
    def newest(self) -> Recorder | None:
        """The recorder that gets the blocks, or will from the next one on."""
        return self._opened or self.recorder

    def begin(self, recorder: Recorder) -> None:
        """Records from the next block on; after a hot swap, if one is in progress.

        Raises:
            StateError: if the session is being recorded.
        """
        with self._turn:
            if self.newest is not None:
                raise StateError(already_recorded(self.newest))
            self._opened = self._begins = recorder

    def end(self, session: RecordableSession, running: threading.RLock) -> Recorder:
        """Ends the recording between two blocks; the caller closes the recorder.

        Args:
            session: the session.
            running: held while a block is processed.

        Raises:
            StateError: if none was begun by :meth:`begin`, or the block does not end.
        """
        with self._turn:
            recorder = self._opened
            if recorder is None:
                text = "no recording was begun in this session"
                raise StateError(Problem("no-recording", text))
            self._ended = ended = threading.Event()
            # Without input no block comes: then nobody else changes it.
            if not ended.wait(_PATIENCE_S):
                if not running.acquire(timeout=_PATIENCE_S):
                    text = "a block is still being processed: the recording ends with the session"
                    raise StateError(Problem("still-running", text))
                try:
                    self.change(session)
                finally:
                    running.release()
            self._opened = None
            return recorder


def already_recorded(recorder: Recorder) -> Problem:
    """The problem of a second recording beside one."""
    text = f"the session is being recorded already: {recorder.state.path}"
    return Problem("recording", text, fix="end that recording first, or put marks into it")


def _start_of(session: RecordableSession) -> RecordingStart:
    found = session.snapshot()
    recovery = session.recovery
    engine = session.engine
    return RecordingStart(
        plan=engine.plan,
        setup=setup_of(engine),
        snapshot=replace(found, position=0),
        position=session.position,
        last=None if recovery is None else recovery.last.clone(),
        silent=recovery is not None and recovery.silent,
    )
