"""The engine of a session: run block by block, exchanged by hot swaps, silenced by faults.

This is what hot swaps, fault recovery and recordings work with. What users call is in
:mod:`.session`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from ..errors import NodeFailedError, Problem, StateError
from ..memory_budget import require_memory
from . import _thread_count as thread_count
from ._change_queue import ChangeQueue, session_closed
from ._device_placement import place_nodes
from ._reblocking import Reblocker
from ._session_files import SessionFiles
from ._state_transfer import transfer_state
from ._warmup import load_weights, prepare
from .engine import Engine
from .engine_setup import precisions_of, setup_of, use_setup
from .live_params import NO_CHANGES, AppliedChanges, LiveParams
from .openmp_pool import end_idle_threads

if TYPE_CHECKING:
    from voicegraph.schemas.engine_setup import EngineSetup

    from ..plan import CompiledPlan
    from .fault_recovery import Background, Report, Silencer
    from .hot_swap import HotSwap
    from .snapshot import Snapshot

_CLOSE_WAIT_S = 10.0
"""How long :meth:`SessionCore.close` waits for a block that another thread is processing."""


class SessionCore:
    """Owns engine, state and threads; :class:`.session.Session` says what its attributes are.

    Args:
        plan: the plan to run.
        streams: number of independent streams.
        setup: how another session was set up, to run as it did.

    Raises:
        DeviceError: if a node's device is missing and the file allows no fallback.
        StateError: if there is no stream, or more than fit into memory.
        VoicegraphError: if weights are missing or wrong.
    """

    def __init__(self, plan: CompiledPlan, streams: int, setup: EngineSetup | None) -> None:
        _require_streams(plan, streams)
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

    # ---- one block ----------------------------------------------------------------------------

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

    def _apply_live_params(self, wait: bool = False) -> AppliedChanges:
        """Applies pending changes and writes them to the recording."""
        applied = self.live_params.apply(self.position, wait)
        recorder = self._recording.recorder
        if recorder is not None and applied is not NO_CHANGES:
            for change in applied.changes:
                recorder.control(self.position, change)
        return applied

    # ---- another engine -----------------------------------------------------------------------

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

    def abandon_swap(self, swap: HotSwap) -> None:
        """Continues without a hot swap that has failed."""
        if self._changes.swap is swap:
            self._changes.swap = None

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

    # ---- recording and end --------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """The complete state as a value; its ``save`` writes a safetensors file."""
        from .snapshot import take_snapshot

        with self._running:
            self._apply_live_params(wait=True)
            return take_snapshot(self.engine, self._reblocker, self.position)

    def note(self, tick: int, **what: Any) -> None:
        """Writes an event of a driver, such as an overrun, to the recording if there is one."""
        if (recorder := self._recording.recorder) is not None:
            recorder.event(tick, **what)

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
