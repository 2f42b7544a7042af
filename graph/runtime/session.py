"""A running pipeline: owns the state, takes audio in blocks of any size, and can be asked anything.

Nothing here knows about files or sound cards; drivers do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from ..errors import Problem, SignalError, StateError
from ..providers import provided
from . import _thread_count as thread_count
from ._device_placement import place_session
from ._reblocking import Admission, finite
from ._warmup import load_weights, prepare
from .engine import Engine
from .live_params import Change, Controls
from .timing import Timing

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ._file_sink import Keeper
    from ._recorder_protocol import Recorder
    from ._trace import TraceWriter
    from .hot_swap import Exchange
    from .snapshot import Snapshot

Samples = TypeVar("Samples", np.ndarray, torch.Tensor)

_CLOSED = Problem("closed", "this session is closed", fix="open another one")


class Session:
    """One running instance of a plan.

    Args:
        plan: what to run.
        streams: independent streams, processed side by side on one set of weights.
        warm_up: run a few blocks of silence and noise first, so that the first real block is not
            late; leaves no trace in the state.
        workers: let the warm-up try worker threads for nodes that release the interpreter lock,
            and keep those that were measured to pay.
        record: write a recording that ``voicegraph.replay`` can run again.
        record_waits: wait for the disk; otherwise a thread writes, and a recording that the disk
            cannot take ends early, which ``close`` reports.
        trace: write a Chrome/Perfetto trace of every node at every tick.

    Attributes:
        taps: what passed the ports named in the newest ``process`` or ``push`` call.
        position: ticks processed since the session began.
        overrides: what :meth:`change` has changed since the session began, by dotted path.
        nonfinite: blocks in which NaN or infinity was met and silenced.
        notes: what a person should know, such as a declared fallback that was taken.

    Raises:
        DeviceError: if a node's device is not there and the file allows no fallback.
        OutputError: if a file that a node keeps, the recording or the trace cannot be written.
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
    ) -> None:
        if streams < 1:
            raise StateError(
                Problem("streams", f"a session needs at least 1 stream, not {streams}")
            )
        self.plan = plan
        self.streams = streams
        self.notes: list[str] = []
        self.taps: dict[str, Any] = {}
        self.position = 0
        self.nonfinite = 0
        self.base = plan.origin
        self.overrides: dict[str, Any] = {}
        self._exchange: Exchange | None = None
        self._closed = False
        devices = place_session(plan, self.notes)
        if plan.settings.threads:
            thread_count.claim(self, plan.settings.threads)
        try:
            with torch.inference_mode(False):  # a caller's own would make state nothing can reset
                load_weights(plan, devices)
                self._engine = Engine(plan, streams, devices)
                self._admission = Admission(plan, streams)
        except BaseException:
            thread_count.release(self)
            raise
        self._controls = Controls(self._engine)
        self._inference = torch.inference_mode()
        self._recorder: Recorder | None = None
        self._tracer: TraceWriter | None = None
        self._keeper: Keeper | None = None
        try:
            if warm_up:
                prepare(self._engine, self.notes, workers)
            self._open(record, record_waits, trace)
        except BaseException:
            self.close()
            raise

    def _open(
        self, record: str | Path | None, record_waits: bool, trace: str | Path | None
    ) -> None:
        if any(planned.node.keeps(planned.params) for planned in self.plan.nodes):
            from ._file_sink import Keeper

            self._keeper = Keeper(self._engine)
        if record is not None:
            recorder = provided("recorder")
            self._recorder = recorder(Path(record), self.plan, self.streams, record_waits)
        if trace is not None:
            from ._trace import TraceWriter

            self._tracer = TraceWriter(Path(trace), self.plan)
            self._engine.trace = self._tracer.add

    # ---- audio ------------------------------------------------------------------------------

    def process(self, block: Samples, taps: Sequence[str] = ()) -> Samples:
        """One block through the pipeline.

        Args:
            block: ``[samples]``, ``[channels, samples]`` or ``[streams, channels, samples]``,
                float, exactly one block long; numpy or torch.
            taps: ports whose values to keep in ``self.taps``, such as ``f0.pitch``: whole tensors
                with the stream axis, of the same library as ``block``.

        Returns:
            The newest block of the output, with as many axes as ``block`` has where the channel
            count allows. It lies ``plan.latency.algorithmic`` behind the input.

        Raises:
            SignalError: if the shape does not fit, or values are not finite and ``on_nan`` is
                ``error``.
        """
        self._refuse_pending()
        tensor = self._admission.admit(block)
        self.taps = {}
        made = self._advance(tensor, [(tap, self.plan.port(tap)) for tap in taps] if taps else ())
        for tap, values in self.taps.items():
            self.taps[tap] = self._admission.like(block, values)
        return self._admission.present(block, made)

    def push(self, samples: Samples, taps: Sequence[str] = ()) -> Samples:
        """Any number of samples; gives what is ready: whole blocks, perhaps none.

        Axes as in :meth:`process`. With ``taps``, ``self.taps`` holds lists with one entry a tick.

        Raises:
            SignalError: as in :meth:`process`.
        """
        refs = [(tap, self.plan.port(tap)) for tap in taps]
        collected: dict[str, list[Any]] = {tap: [] for tap in taps}
        made: list[torch.Tensor] = []
        for block in self._admission.collect(samples):
            self.taps = {}
            made.append(self._advance(block, refs).clone())
            for tap, values in self.taps.items():
                collected[tap].append(self._admission.like(samples, values))
        self.taps = dict(collected)
        return self._admission.present(samples, self._join(made))

    def flush(self) -> Any:
        """What is still inside: the rest of the last block and the algorithmic latency.

        Outputs of ``process`` or ``push`` followed by ``flush`` hold the whole input, behind
        ``plan.latency_out`` samples of run-in. Call :meth:`reset` before using the session again.
        """
        pending = self._admission.pending
        inside = pending / self.plan.source.rate + self.plan.latency.algorithmic
        wanted = -int(-(inside * self.plan.output_type.rate) // 1)
        count = -(-wanted // self.plan.samples_out)
        made = [self._advance(self._admission.pad(), []).clone() for _ in range(count)]
        tail = self._join(made).narrow(self.plan.output_type.time_axis, 0, wanted)
        return self._admission.present_last(tail)

    def _advance(self, block: torch.Tensor, taps: Sequence[tuple[str, Any]]) -> torch.Tensor:
        if self._closed:
            raise StateError(_CLOSED)
        block = self._admission.sanitize(block, self)
        changes = self._apply_controls() if self._controls.pending else ()
        if self._recorder is not None:
            self._recorder.block(block)
        engine = self._engine
        with self._inference:
            if self._exchange is None:
                made = engine.tick(block)
            else:
                made = self._exchange.tick(block, changes)
        if self._keeper is not None:
            self._keeper.write()
        for tap, ref in taps:
            self.taps[tap] = engine.made(ref, block)
        self.position += 1
        if not made.is_cpu:
            made = made.to("cpu")
        made = made if finite(made) else self._on_nonfinite(made)
        if self._recorder is not None:
            self._recorder.output(made)
        return made

    def _on_nonfinite(self, made: torch.Tensor) -> torch.Tensor:
        from ._nonfinite import heal, problem

        good = torch.isfinite(made)
        if bool(good.all()):  # finite values whose sum overflows float32
            return made
        if self.plan.settings.on_nan == "error":
            raise SignalError(problem(self.plan, self._engine, self.position - 1))
        self.nonfinite += 1
        made = torch.where(good, made, 0.0)
        heal(self._engine)
        return made

    def _join(self, made: list[torch.Tensor]) -> torch.Tensor:
        kind = self.plan.output_type
        if not made:
            return torch.zeros(kind.shape(self.streams, 0))
        return torch.cat(made, kind.time_axis)

    def _refuse_pending(self) -> None:
        if self._admission.pending:
            text = (
                f"process() takes whole blocks, but push() has left {self._admission.pending} "
                "samples waiting"
            )
            raise StateError(Problem("pending", text, fix="use push() throughout, or reset()"))

    # ---- controls and state -----------------------------------------------------------------

    def set(self, param: str, value: Any, stream: int | None = None) -> None:
        """Changes a live param from the next tick on, for all streams or one.

        Raises:
            StateError: if there is no such param, it is not live, or the value is out of range.
        """
        self._controls.set(param, value, stream)

    def get(self, param: str, stream: int = 0) -> Any:
        """The value of a param now, pending changes included.

        Raises:
            StateError: if there is no such param.
        """
        return self._controls.get(param, stream)

    def change(self, overrides: Mapping[str, Any]) -> Exchange:
        """Exchanges nodes, voices or settings that are not live, without a break.

        The changed pipeline is compiled, loaded and warmed up here; then the session takes it over
        at a crossfade of 20 ms within the next blocks, as soon as nothing in it is a hole. Input,
        output, block and latency stay what they are; pipelines that need less wait for the rest.

        Args:
            overrides: by dotted path, such as ``{"nodes.f0.use": "f0.harvest"}``; they are added to
                what was changed before.

        Raises:
            VoicegraphError: if the changed pipeline has mistakes, does not fit, or cannot be
                loaded; the session goes on as it was.
        """
        from .hot_swap import Exchange, plan_change

        wanted = {**self.overrides, **overrides}
        exchange = Exchange(self, plan_change(self, overrides), wanted)
        self.enter(exchange)
        return exchange

    def swap(self, node: str, use: str, params: Mapping[str, Any] | None = None) -> Exchange:
        """Exchanges one node for another kind: ``session.swap("f0", "f0.swift")``.

        As :meth:`change`. Called on another thread than the one that processes, the new node is
        built and warmed up there, and no block waits for it.

        Args:
            node: its name in the pipeline.
            use: what it shall be.
            params: params that it shall have; those it knows of the old node's stay.

        Raises:
            VoicegraphError: as :meth:`change`.
        """
        changed = {f"nodes.{node}.params.{name}": value for name, value in (params or {}).items()}
        return self.change({f"nodes.{node}.use": use, **changed})

    def enter(self, exchange: Exchange) -> None:
        """Lets a prepared exchange begin at the next tick.

        Raises:
            StateError: if another one is under way, or the session is closed.
        """
        if self._exchange is not None:
            text = "another exchange is under way"
            raise StateError(Problem("busy", text, fix="wait until it is over"))
        self._exchange = exchange
        if self._closed:  # looked at last: it may be closed on another thread in the meantime
            self._exchange = None
            raise StateError(_CLOSED)

    def adopt(self, exchange: Exchange) -> Engine:
        """Goes on with what an exchange has made ready; the engine that ran before."""
        old, self._engine = self._engine, exchange.engine
        self.plan = self._admission.plan = exchange.plan
        self.overrides = exchange.overrides
        self._controls.rebind(self._engine)
        self._engine.trace = old.trace
        if self._keeper is not None:
            self._keeper.rebind(self._engine)
        self.notes.extend(exchange.notes)
        self._exchange = None
        if self._recorder is not None:
            begun = exchange.begun_at or 0
            self._recorder.exchange(self.position, begun, exchange.overrides, exchange.plan)
        return old

    def leave(self, exchange: Exchange) -> None:
        """Goes on without an exchange that has failed."""
        if self._exchange is exchange:
            self._exchange = None

    def _give_up(self, why: str) -> None:
        if self._exchange is not None:
            self._exchange.fail(StateError(Problem("interrupted", f"{why} while it was prepared")))
            self._exchange = None

    @property
    def log(self) -> list[tuple[int, Change]]:
        """Control changes so far, with the tick from which each took effect."""
        return self._controls.log

    def reset(self, stream: int | None = None) -> None:
        """State as at the beginning, for all streams or one; live params stay, with changes so far.

        Samples that wait in ``push`` are dropped when all streams are reset.
        """
        self._controls.check_stream(stream)
        self._give_up("the session was reset")
        self._apply_controls()
        self._engine.reset(stream)
        if stream is None:
            self._admission.clear()
        if self._recorder is not None:
            self._recorder.reset(self.position, stream)

    def snapshot(self) -> Snapshot:
        """Everything the session remembers, as a value; ``save`` writes a safetensors file."""
        from .snapshot import take

        self._apply_controls()
        return take(self)

    def restore(self, snapshot: Snapshot | str | Path) -> None:
        """Goes on from a snapshot, or from the file of one. Changes that are pending are dropped.

        Raises:
            StateError: if it was taken from another plan or another number of streams, or this
                session is being recorded.
        """
        from .snapshot import put

        if self._recorder is not None:
            text = "a session that is being recorded cannot go on from a snapshot"
            notes = (("the recording would not hold the state that its replay begins with", None),)
            fix = "restore in a session without `record`"
            raise StateError(Problem("recording", text, notes=notes, fix=fix))
        self._give_up("a snapshot was restored")
        put(self, snapshot)
        self._controls.drop()

    def _apply_controls(self) -> Sequence[Change]:
        """Brings pending changes into force, and notes them in the recording."""
        changes = self._controls.apply(self.position)
        if self._recorder is not None:
            for change in changes:
                self._recorder.control(self.position, change)
        return changes

    def note(self, tick: int, **what: Any) -> None:
        """Notes in the recording, if there is one, what a driver saw at a tick."""
        if self._recorder is not None:
            self._recorder.event(tick, **what)

    # ---- measuring and closing --------------------------------------------------------------

    def timings(self) -> Mapping[str, Timing]:
        """Compute time by node over the newest ticks; ``total`` is the whole tick."""
        engine = self._engine  # an exchange on another thread may put another one here
        found = {step.name: step.ring.summary() for step in engine.steps}
        return {**found, "total": engine.total.summary()}

    def spent(self) -> dict[str, float]:
        """Seconds that each node took at the newest tick; ``total`` is the whole tick."""
        found = {step.name: 1e-9 * step.ring.newest for step in self._engine.steps}
        found["total"] = 1e-9 * self._engine.total.newest
        return found

    def close(self) -> None:
        """Stops workers, finishes recording, trace and kept files. Safe to call twice.

        Raises:
            OutputError: if a file cannot be finished.
        """
        self._closed = True
        self._give_up("the session was closed")
        thread_count.release(self)
        if self._engine.pool is not None:
            self._engine.pool.shutdown()
            self._engine.pool = None
        with ExitStack() as all_of_them:
            for writer in (self._keeper, self._recorder, self._tracer):
                if writer is not None:
                    all_of_them.callback(writer.close)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
