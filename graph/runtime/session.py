"""A running pipeline: owns the state, processes audio, changes params, takes snapshots.

Files and sound cards belong to drivers, not to a session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from ..errors import Problem, StateError
from ..plan import is_older_hash
from ..providers import provided
from ._change_queue import session_closed
from ._recording_slot import already_recorded
from ._session_core import SessionCore
from .engine_setup import setup_of
from .live_params import Change
from .timing import Timing
from .write_permission import permitted_writes

if TYPE_CHECKING:
    from voicegraph.schemas.engine_setup import EngineSetup
    from voicegraph.schemas.recording_state import RecordingState

    from ..plan import CompiledPlan
    from .hot_swap import HotSwap
    from .snapshot import Snapshot

Samples = TypeVar("Samples", np.ndarray, torch.Tensor)


class Session(SessionCore):
    """One running instance of a plan.

    Every method may be called from any thread:

    * Methods that process audio or touch the state (``process``, ``push``, ``flush``, ``reset``,
      ``snapshot``, ``restore``) run one at a time; a second caller waits. To keep blocks in order,
      one thread should process.
    * ``set`` and ``get`` never wait for a block, and no block waits for them: a change is checked
      on the calling thread and is in force from the next tick on.
    * ``change`` and ``swap`` run one after another: each waits until the hot swap before it is
      complete, and is added to its overrides. The thread that processes cannot wait for that; there
      a change during another one is refused (``busy``).
    * ``close`` ends a waiting change and a hot swap in progress: both raise in their own threads. A
      block that is being processed is finished first.

    Args:
        plan: the plan to run.
        streams: number of independent streams, processed as one batch on one set of weights.
        warm_up: run a few blocks of silence and noise first, so that the first real block is not
            late; the state is reset afterwards.
        workers: let the warm-up try worker threads for nodes that release the interpreter lock,
            and keep those that were measured to save time.
        record: path of a recording to write, which ``voicegraph.replay`` can run again.
        record_waits: wait for the disk; otherwise a thread writes, and if the disk is too slow
            the recording ends early, files of nodes have gaps, and ``close`` reports it.
        trace: path of a Chrome/Perfetto trace to write: every node at every tick.
        allow_write: folders in which nodes may write files that only a pipeline file asks for.
            What is written in Python (``Pipeline(...)``, ``overrides``) or with ``--set`` is the
            user's own, and needs none.
        write_files: whether nodes write files at all; a replay or a measurement does not.
        setup: how another session was set up, to run as it did; by default the warm-up decides.

    Attributes:
        base: the pipeline that changes start from; None if the plan cannot be changed.
        live_params: the changes of live params.
        plan: the plan that runs; a hot swap replaces it.
        engine: the engine that runs it; a hot swap replaces it.
        taps: values of the ports named in the newest ``process`` or ``push`` call.
        position: ticks processed since the session began.
        overrides: everything that :meth:`change` has changed since the session began, or since its
            profile was changed, by dotted path.
        nonfinite: number of blocks in which NaN or infinity was found and silenced.
        swaps: number of hot swaps that were completed.
        recovery: what keeps the session running after faults of nodes; None: they are raised.
        notes: messages for the user, such as a declared device fallback that was taken.

    Raises:
        DeviceError: if a node's device is missing and the file allows no fallback.
        OutputError: if a file that a node writes, the recording or the trace cannot be written.
        VoicegraphError: if weights are missing or wrong.
    """

    def __init__(
        self,
        plan: CompiledPlan,
        streams: int = 1,
        *,
        warm_up: bool = True,
        workers: bool = True,
        record: str | Path | None = None,
        record_waits: bool = True,
        trace: str | Path | None = None,
        allow_write: Iterable[str | Path] = (),
        write_files: bool = True,
        setup: EngineSetup | None = None,
    ) -> None:
        writes = permitted_writes(plan, allow_write) if write_files else {}
        super().__init__(plan, streams, setup)
        try:
            self._set_up(warm_up, workers, setup)
            self._files.open(
                self.engine,
                record=record,
                record_waits=record_waits,
                trace=trace,
                writes=writes if write_files else None,
            )
        except BaseException:
            self.close()
            raise

    # ---- audio ------------------------------------------------------------------------------

    def process(self, block: Samples, taps: Sequence[str] = ()) -> Samples:
        """Processes one block.

        Args:
            block: ``[samples]``, ``[channels, samples]`` or ``[streams, channels, samples]``,
                float, exactly one block long; numpy or torch.
            taps: ports whose values are put into ``self.taps``, such as ``f0.pitch``: float32
                tensors with the streams axis, numpy or torch like ``block``.

        Returns:
            The newest block of the output, with as many axes as ``block`` if the channel count
            allows. It is ``plan.latency.algorithmic`` seconds behind the input.

        Raises:
            SignalError: if the shape does not fit, or values are not finite and ``on_nan`` is
                ``error``.
            NodeFailedError: if a node raises an exception.
            StateError: if the session is closed, or :meth:`push` has left pending samples.
        """
        with self._running:
            if self._reblocker.pending:
                raise self._pending_samples()
            tensor = self._reblocker.whole_block(block)
            self.taps = {}
            refs = [(tap, self.plan.port(tap)) for tap in taps] if taps else ()
            made = self._run_block(tensor, refs)
            if taps:
                for tap, values in self.taps.items():
                    self.taps[tap] = self._reblocker.tap_like(block, values)
            return self._reblocker.output_like(block, made)

    def push(self, samples: Samples, taps: Sequence[str] = ()) -> Samples:
        """Takes any number of samples and returns all whole blocks that they complete.

        Axes are as in :meth:`process`. With ``taps``, ``self.taps`` holds a list per port with one
        entry per tick.

        Raises:
            SignalError: as in :meth:`process`.
            StateError: if the session is closed.
        """
        with self._running:
            refs = [(tap, self.plan.port(tap)) for tap in taps]
            collected: dict[str, list[Any]] = {tap: [] for tap in taps}
            made: list[torch.Tensor] = []
            for block in self._reblocker.blocks(samples):
                self.taps = {}
                made.append(self._run_block(block, refs).clone())
                for tap, values in self.taps.items():
                    collected[tap].append(self._reblocker.tap_like(samples, values))
            self.taps = dict(collected)
            return self._reblocker.output_like(samples, self._join(made))

    def flush(self) -> Any:
        """Returns the output that is still missing: pending samples and the algorithmic latency.

        The outputs of ``process`` or ``push`` and then ``flush`` contain the whole input, delayed
        by ``plan.latency_out`` samples. Call :meth:`reset` before using the session again.
        """
        with self._running:
            pending = self._reblocker.pending
            inside = pending / self.plan.source.rate + self.plan.latency.algorithmic
            wanted = -int(-(inside * self.plan.output_type.rate) // 1)
            count = -(-wanted // self.plan.samples_out)
            made = [
                self._run_block(self._reblocker.padded_block(), []).clone() for _ in range(count)
            ]
            tail = self._join(made).narrow(self.plan.output_type.time_axis, 0, wanted)
            return self._reblocker.output_like_newest(tail)

    def _join(self, made: list[torch.Tensor]) -> torch.Tensor:
        kind = self.plan.output_type
        if not made:
            return torch.zeros(kind.shape(self.streams, 0))
        return torch.cat(made, kind.time_axis)

    def _pending_samples(self) -> StateError:
        text = (
            f"process() takes whole blocks, but push() has left {self._reblocker.pending} "
            "samples pending"
        )
        return StateError(Problem("pending", text, fix="use only push(), or call reset()"))

    # ---- live params and hot swaps ------------------------------------------------------------

    def set(self, param: str, value: Any, stream: int | None = None) -> None:
        """Changes a live param from the next tick on.

        Args:
            param: ``node.param``.
            value: the new value, in any form that the node's params model accepts.
            stream: number of the stream from 0; None changes all streams.

        Raises:
            StateError: if there is no such param, it is not live, or the value is out of range.
        """
        self.live_params.set(param, value, stream)

    def get(self, param: str, stream: int = 0) -> Any:
        """The current value of a param, including pending changes.

        Raises:
            StateError: if there is no such param.
        """
        return self.live_params.get(param, stream)

    @property
    def log(self) -> list[tuple[int, Change]]:
        """The newest changes of live params, each with the tick from which it was in force.

        At most 1024; a recording has all of them.
        """
        return list(self.live_params.log)

    def change(self, overrides: Mapping[str, Any]) -> HotSwap:
        """Hot swap: changes nodes, voices or settings that are not live, without a gap.

        The changed pipeline is compiled, loaded and warmed up in this call. The session then
        crossfades to it within 20 ms, as soon as every history of the new engine is filled. Types
        of input and output, block and latency stay the same; a pipeline that needs less latency is
        delayed to match.

        Changes of several threads are made one after another; see the class about which thread
        waits.

        Args:
            overrides: by dotted path, such as ``{"nodes.f0.use": "f0.harvest"}``; they are added to
                earlier changes.

        Returns:
            The swap in progress.

        Raises:
            VoicegraphError: if the changed pipeline has mistakes, does not fit, or cannot be
                loaded, or the session is closed meanwhile; the session then continues unchanged.
            StateError: if another change is in progress, on the thread that processes.
        """
        from .hot_swap import HotSwap, plan_change

        with self._changes.turn():
            wanted = {**self.overrides, **overrides}
            swap = HotSwap(self, plan_change(self, overrides), wanted)
            self.begin_swap(swap)
        return swap

    def change_profile(self, *names: str) -> HotSwap:
        """Hot swap to other profiles of the pipeline, in place of those in force.

        What they set takes precedence over earlier changes of the same values; other changes stay.

        Args:
            names: of profiles in the pipeline file; none: the pipeline without a profile.

        Raises:
            VoicegraphError: as :meth:`change`.
        """
        from .hot_swap import HotSwap, plan_profile

        with self._changes.turn():
            plan = plan_profile(self, *names)
            swap = HotSwap(self, plan, {}, base=plan.origin)
            self.begin_swap(swap)
        return swap

    def swap(self, node: str, use: str, params: Mapping[str, Any] | None = None) -> HotSwap:
        """Hot swap of one node: ``session.swap("f0", "f0.swift")``; see :meth:`change`.

        If it is called on another thread than the one that processes, the new node is built and
        warmed up on that thread, and no block waits for it.

        Args:
            node: name of the node in the pipeline.
            use: registered name of the new node class.
            params: params of the new node; params of the old node that the new one has are kept.

        Raises:
            VoicegraphError: as :meth:`change`.
        """
        changed = {f"nodes.{node}.params.{name}": value for name, value in (params or {}).items()}
        return self.change({f"nodes.{node}.use": use, **changed})

    # ---- state --------------------------------------------------------------------------------

    def reset(self, stream: int | None = None) -> None:
        """Resets the state of all streams or of one; live params keep their current values.

        Pending samples of ``push`` are dropped if all streams are reset.

        Raises:
            StateError: if there is no such stream.
        """
        self.live_params.check_stream(stream)
        with self._running:
            self._changes.cancel("the session was reset")
            self._apply_live_params(wait=True)
            self.engine.reset(stream)
            if stream is None:
                self._reblocker.clear()
            if (recorder := self._recording.recorder) is not None:
                recorder.reset(self.position, stream)

    def restore(self, snapshot: Snapshot | str | Path) -> None:
        """Continues from a snapshot, or from the file of one; pending changes are dropped.

        The plan must be that of the snapshot. If the hash of its plan was made by an older rule,
        the states and live params must fit instead, and ``notes`` says so.

        Raises:
            StateError: if it was taken from another plan or another number of streams, or this
                session is being recorded.
        """
        from .snapshot import OLDER_HASH, Snapshot, restore_snapshot

        if self._recording.newest is not None:
            text = "a session that is being recorded cannot restore a snapshot"
            notes = (("the recording would lack the state from which a replay has to start", None),)
            fix = "restore it in a session without `record`"
            raise StateError(Problem("recording", text, notes=notes, fix=fix))
        with self._running:
            self._changes.cancel("a snapshot was restored")
            found = snapshot if isinstance(snapshot, Snapshot) else Snapshot.load(snapshot)
            self.position = restore_snapshot(found, self.engine, self._reblocker)
            if is_older_hash(found.plan):
                self.notes.append(OLDER_HASH)
            self.live_params.clear_pending()

    # ---- recording ----------------------------------------------------------------------------

    def start_recording(self, path: str | Path, *, waits: bool = True) -> None:
        """Records from the next block on, or from the end of the hot swap in progress on.

        The recording holds the state of the session at its begin, so that a replay of it is
        bit-identical, too.

        Args:
            path: the events file, ``NAME.jsonl``; the others are beside it.
            waits: as ``record_waits``.

        Raises:
            OutputError: if the files cannot be written.
            StateError: if the session is being recorded, or is closed.
        """
        if self._changes.closed:
            raise session_closed()
        if (before := self._recording.newest) is not None:
            raise StateError(already_recorded(before))
        make = provided("recorder")
        recorder = make(Path(path), self.plan, self.streams, waits, None, from_start=False)
        try:
            self._recording.begin(recorder)
        except StateError:
            recorder.close()
            raise

    def stop_recording(self) -> RecordingState:
        """Ends what :meth:`start_recording` began, and finishes its files.

        Returns:
            What was written.

        Raises:
            OutputError: if not everything could be written.
            StateError: if nothing was begun, or a block does not end.
        """
        recorder = self._recording.end(self, self._running)
        recorder.close()
        return recorder.state

    @property
    def recording_state(self) -> RecordingState | None:
        """The state of the recording; None without one."""
        recorder = self._recording.newest
        return None if recorder is None else recorder.state

    @property
    def file_faults(self) -> list[str]:
        """What is wrong with the files that nodes write, a sentence each."""
        files = self._files.node_files
        return [] if files is None else files.faults()

    # ---- measuring ----------------------------------------------------------------------------

    @property
    def setup(self) -> EngineSetup:
        """How the engine was set up on this machine: threads, workers, precision of the nodes."""
        return setup_of(self.engine)

    def explain(self) -> str:
        """A readable text: the plan as :meth:`Plan.explain` shows it, then the setup."""
        return provided("explain")(self.plan) + "\n" + provided("explain_setup")(self.setup)

    def timings(self) -> Mapping[str, Timing]:
        """Compute time by node over the newest ticks; ``total`` is the whole tick."""
        engine = self.engine  # a hot swap on another thread may replace it
        found = {step.name: step.ring.summary() for step in engine.steps}
        return {**found, "total": engine.total.summary()}

    def spent(self) -> dict[str, float]:
        """Compute time of each node at the newest tick, in seconds; ``total`` is the whole tick."""
        found = {step.name: 1e-9 * step.ring.newest for step in self.engine.steps}
        found["total"] = 1e-9 * self.engine.total.newest
        return found

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
