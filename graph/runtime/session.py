"""A running pipeline: owns the state, processes audio, changes params, takes snapshots.

Files and sound cards belong to drivers, not to a session.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from ..errors import NodeFailedError, Problem, StateError
from ..memory_budget import require_memory
from ..plan import is_older_hash
from ..providers import provided
from . import _thread_count as thread_count
from ._change_queue import ChangeQueue, session_closed
from ._device_placement import place_nodes
from ._reblocking import Reblocker
from ._recording_slot import already_recorded
from ._session_files import SessionFiles
from ._state_transfer import transfer_state
from ._warmup import load_weights, prepare
from .engine import Engine
from .engine_setup import precisions_of, setup_of, use_setup
from .live_params import NO_CHANGES, AppliedChanges, Change, LiveParams
from .openmp_pool import end_idle_threads
from .timing import Timing
from .write_permission import permitted_writes

if TYPE_CHECKING:
    from voicegraph.schemas.engine_setup import EngineSetup
    from voicegraph.schemas.recording_state import RecordingState

    from ..plan import CompiledPlan
    from .fault_recovery import Background, Report, Silencer
    from .hot_swap import HotSwap
    from .snapshot import Snapshot

Samples = TypeVar("Samples", np.ndarray, torch.Tensor)

_CLOSE_WAIT_S = 10.0
"""How long :meth:`Session.close` waits for a block that another thread is processing."""


class Session:
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
        _require_streams(plan, streams)
        writes = permitted_writes(plan, allow_write) if write_files else {}
        self.plan = plan
        self.streams = streams
        self.notes: list[str] = []
        self.taps: dict[str, Any] = {}
        self.position = self.nonfinite = self.swaps = 0
        self.base = plan.origin
        self.overrides: dict[str, Any] = {}
        self.recovery: Silencer | None = None
        self._finished = False
        self._running = threading.RLock()  # one method that touches the state at a time
        self._changes = ChangeQueue()
        self._files = SessionFiles()
        self._recording = self._files.recording
        devices = place_nodes(plan, self.notes)
        if plan.settings.threads:
            thread_count.claim(self, plan.settings.threads)
        try:
            with torch.inference_mode(False):  # inference tensors could not be reset in place later
                load_weights(plan, devices, precisions_of(setup))
                self.engine = Engine(plan, streams, devices)
                self._reblocker = Reblocker(plan, streams)
        except BaseException:
            thread_count.release(self)
            raise
        self.live_params = LiveParams(self.engine)
        self._inference = torch.inference_mode()
        self._thread_count = plan.settings.threads
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

    def _set_up(self, warm_up: bool, workers: bool, setup: EngineSetup | None) -> None:
        """Warms up, and lays out threads as given or as the warm-up finds best."""
        if setup is not None:
            use_setup(self.engine, setup, self.notes)
            self._claim_threads()
        if warm_up:
            prepare(self.engine, self.notes, workers and setup is None)
            self._claim_threads()
        end_idle_threads()  # another thread may process

    def _claim_threads(self) -> None:
        """Makes PyTorch's thread count that of the engine's layout, if it is not the machine's."""
        wanted, usual = self.engine.layout.main, self._thread_count or self.engine.threads
        if wanted != usual:
            thread_count.claim(self, wanted)
            self._thread_count = wanted

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

    def _run_block(self, block: torch.Tensor, taps: Sequence[tuple[str, Any]]) -> torch.Tensor:
        if self._changes.closed:
            raise session_closed()
        if self._changes.processing_thread != (thread := threading.get_ident()):
            self._changes.processing_thread = thread
            if self._thread_count:  # PyTorch keeps a count for each thread
                thread_count.set_here(self._thread_count)
        sanitized = self._reblocker.sanitize(block, self.position, self.recovery is not None)
        if sanitized is not block:
            block, self.nonfinite = sanitized, self.nonfinite + 1
        if self._recording.changes:
            self._recording.change(self)
        changes = self._apply_live_params() if self.live_params.waiting else NO_CHANGES
        if changes is not NO_CHANGES and self.recovery is not None:
            self.recovery.params_changed()
        recorder = self._recording.recorder
        if recorder is not None:
            recorder.block(block)
        engine, swap = self.engine, self._changes.swap
        with self._inference:
            if swap is None:
                if self.live_params.following:
                    self.live_params.unfollow()
                made = self.run_engine(block) if self.recovery is None else self.tick(block)
            else:
                made = swap.tick(block, changes)
        if self._finished:  # close() has not waited for this block: its files are finished
            raise session_closed()
        if self._files.node_files is not None:
            self._files.node_files.write()
        for tap, ref in taps:
            self.taps[tap] = engine.value_of(ref, block)
        self.position += 1
        if recorder is not None:
            recorder.output(made)
        return made

    def recover_from_faults(self, report: Report, background: Background | None = None) -> None:
        """Goes on after a node has failed, instead of raising: see ``fault_recovery``.

        Non-finite input is replaced by silence and counted.

        Args:
            report: is told of faults and recoveries, on the thread that processes.
            background: runs a function on another thread, to build nodes anew.
        """
        from .fault_recovery import FaultRecovery

        self.recovery = FaultRecovery(self, report, background)

    @property
    def silenced(self) -> bool:
        """Whether the output is silent because a node has failed."""
        return self.recovery is not None and self.recovery.silent

    def tick(self, block: torch.Tensor) -> torch.Tensor:
        """The output of the running engine, or silence while a fault is being handled.

        Called by the session itself and by a hot swap, in inference mode.
        """
        return self.run_engine(block) if self.recovery is None else self.recovery.run(block)

    def run_engine(self, block: torch.Tensor) -> torch.Tensor:
        """Runs all nodes on one block ``[streams, channels, samples]``, in inference mode.

        Raises:
            NodeFailedError: if a node raises an exception, or the output is not finite and
                ``on_nan`` is ``error``.
        """
        try:
            given = self.engine.tick(block)
        except NodeFailedError as error:
            from ._nonfinite import cause_of_failure

            cause = cause_of_failure(self.plan, self.engine, self.position, error)
            if cause is error:
                raise
            raise cause from error.__cause__
        made, finite = self._reblocker.take_output(given)
        return made if finite else self._on_nonfinite(made)

    def _on_nonfinite(self, made: torch.Tensor) -> torch.Tensor:
        from ._nonfinite import nonfinite_problem, reset_nonfinite

        good = torch.isfinite(made)
        if bool(good.all()):  # finite values whose sum overflows float32
            return made
        if self.plan.settings.on_nan == "error":
            raise NodeFailedError(*nonfinite_problem(self.plan, self.engine, self.position))
        self.nonfinite += 1
        made = torch.where(good, made, 0.0)
        reset_nonfinite(self.engine)
        return made

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

    # ---- live params and state --------------------------------------------------------------

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

    def begin_swap(self, swap: HotSwap) -> None:
        """Starts a prepared hot swap at the next tick.

        Raises:
            StateError: if another one is in progress or was completed since ``swap`` was made, or
                the session is closed.
        """
        with self._recording.describing() as recorder:
            if recorder is not None:
                swap.recorded = recorder.describe_exchange(
                    swap.overrides, swap.plan, swap.base, setup_of(swap.engine)
                )
            self._changes.begin(swap, self.plan)

    @property
    def swapping(self) -> bool:
        """Whether a hot swap is in progress."""
        return self._changes.swap is not None

    def complete_swap(self, swap: HotSwap) -> Engine:
        """Replaces plan and engine by those of a hot swap; returns the engine that ran before."""
        old = self._use(swap.plan, swap.engine)
        self.base, self.overrides = swap.base, swap.overrides
        self.swaps += 1
        self.notes.extend(swap.notes)
        self._changes.swap = None
        self.note(self.position, **swap.recorded, begun=swap.begun_at or 0)
        if self.recovery is not None:
            self.recovery.engine_replaced()
        return old

    def replace_engine(self, engine: Engine) -> bool:
        """Continues with a new engine for the same plan: its state is new, live params stay.

        Returns:
            Whether it does; if params or nodes are being changed, it has to be tried again later.
        """
        old = self.engine

        def transfer() -> None:
            transfer_state(old, engine)
            engine.reset()

        if self.swapping or not self.live_params.follow(engine, transfer):
            return False
        self._use(self.plan, engine)
        if old.pool is not None:
            old.pool.shutdown(wait=False)
        return True

    def _use(self, plan: CompiledPlan, engine: Engine) -> Engine:
        """Runs another plan and engine from the next tick on; returns the engine before."""
        old, self.engine = self.engine, engine
        self.plan = self._reblocker.plan = plan
        self.live_params.rebind(engine)
        self._files.follow(old, engine)
        self._claim_threads()
        return old

    def abandon_swap(self, swap: HotSwap) -> None:
        """Continues without a hot swap that has failed."""
        if self._changes.swap is swap:
            self._changes.swap = None

    @property
    def log(self) -> list[tuple[int, Change]]:
        """The newest changes of live params, each with the tick from which it was in force.

        At most 1024; a recording has all of them.
        """
        return list(self.live_params.log)

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

    def snapshot(self) -> Snapshot:
        """The complete state as a value; its ``save`` writes a safetensors file."""
        from .snapshot import take_snapshot

        with self._running:
            self._apply_live_params(wait=True)
            return take_snapshot(self.engine, self._reblocker, self.position)

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

    def _apply_live_params(self, wait: bool = False) -> AppliedChanges:
        """Applies pending changes and writes them to the recording."""
        applied = self.live_params.apply(self.position, wait)
        recorder = self._recording.recorder
        if recorder is not None and applied is not NO_CHANGES:
            for change in applied.changes:
                recorder.control(self.position, change)
        return applied

    def note(self, tick: int, **what: Any) -> None:
        """Writes an event of a driver, such as an overrun, to the recording if there is one."""
        if (recorder := self._recording.recorder) is not None:
            recorder.event(tick, **what)

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
    def file_faults(self) -> list[str]:
        """What is wrong with the files that nodes write, a sentence each."""
        files = self._files.node_files
        return [] if files is None else files.faults()

    @property
    def recording_state(self) -> RecordingState | None:
        """The state of the recording; None without one."""
        recorder = self._recording.newest
        return None if recorder is None else recorder.state

    # ---- measuring and closing --------------------------------------------------------------

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

    def close(self, wait_s: float = _CLOSE_WAIT_S) -> None:
        """Stops workers and finishes recording, trace and sound files. Safe to call twice.

        Args:
            wait_s: how long to wait for a block that another thread is processing, in seconds. The
                files are finished without it then.

        Raises:
            OutputError: if a file cannot be finished.
            StateError: if a block is still being processed; names the node.
        """
        self._changes.close()
        thread_count.release(self)
        idle = self._running.acquire(timeout=wait_s)
        try:
            self._finish(idle)
        finally:
            if idle:
                self._running.release()
        if not idle:
            raise StateError(_still_running(self.engine))

    def _finish(self, idle: bool) -> None:
        self._finished = True
        pool = self.engine.pool
        if pool is not None:
            pool.shutdown(wait=idle)
            if idle:
                self.engine.pool = None
        self._files.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _still_running(engine: Engine) -> Problem:
    """The problem of a block that does not end, with the node that is at work."""
    from .running_node import running_node

    step = running_node(engine)
    if step is None:
        return Problem("still-running", "a block is still being processed")
    text = f"a block is still being processed: node {step.name} ({step.node.use}) does not return"
    return Problem("still-running", text)


def _require_streams(plan: CompiledPlan, streams: int) -> None:
    """Refuses less than one stream, and more than fit into memory."""
    if streams < 1:
        text = f"a session needs at least 1 stream, not {streams}"
        raise StateError(Problem("streams", text))
    if streams > 1:  # one was checked when the plan was compiled
        require_memory(plan, streams)
