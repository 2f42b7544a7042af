"""The files that a session writes while it runs: its recording, a trace, and files of nodes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..providers import provided
from ._recording_slot import RecordingSlot
from .engine import Engine
from .engine_setup import setup_of

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ._file_sink import FileSink
    from ._trace import TraceWriter


class SessionFiles:
    """Opens and closes them together; each is None if it is not written.

    Attributes:
        recording: the recorder of the recording.
        node_files: of files that nodes write.
    """

    def __init__(self) -> None:
        self.recording = RecordingSlot()
        self.node_files: FileSink | None = None
        self._tracer: TraceWriter | None = None

    def open(
        self,
        engine: Engine,
        *,
        record: str | Path | None,
        record_waits: bool,
        trace: str | Path | None,
        writes: Mapping[Path, Path] | None,
    ) -> None:
        """Opens what is asked for. After an error, :meth:`close` closes what was opened before.

        Args:
            engine: of the session.
            record: path of the recording.
            record_waits: wait for the disk, instead of writing on a thread.
            trace: path of the trace.
            writes: what nodes may write: path as named -> path as resolved; None: nothing.

        Raises:
            OutputError: if one of them cannot be written.
        """
        plan = engine.plan
        if writes is not None and _writes_files(plan):
            from ._file_sink import FileSink

            self.node_files = FileSink(engine, writes, record_waits)
        if record is not None:
            recorder = provided("recorder")
            self.recording.recorder = recorder(
                Path(record), plan, engine.streams, record_waits, setup_of(engine)
            )
        if trace is not None:
            from ._trace import TraceWriter

            self._tracer = TraceWriter(Path(trace), plan)
            engine.trace = self._tracer.add

    def follow(self, old: Engine, new: Engine) -> None:
        """Writes what another engine makes from now on."""
        new.trace = old.trace
        if self.node_files is not None:
            self.node_files.rebind(new)

    def close(self) -> None:
        """Finishes all files, also if one of them fails.

        Raises:
            OutputError: if a file cannot be finished.
        """
        with ExitStack() as closing:
            for writer in (self.node_files, self.recording.newest, self._tracer):
                if writer is not None:
                    closing.callback(writer.close)


def _writes_files(plan: CompiledPlan) -> bool:
    return any(planned.node.keeps(planned.params) for planned in plan.nodes)
