"""Hot swap: replaces the plan of a running session by another one without a gap.

The new engine is built and warmed up while the old one runs. Between two ticks it copies all state
that fits (:mod:`._state_transfer`). It then processes the same blocks as the old one, on another
thread if there is one, until every history is filled. In one tick both outputs are crossfaded, and
the old engine is retired. A failure before that leaves the session unchanged.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch

from voicegraph.schemas.quantities import format_duration

from ..errors import Problem, StateError, VoicegraphError
from ..signals import Audio
from ._device_placement import place_nodes
from ._reblocking import all_finite
from ._state_transfer import transfer_state
from ._warmup import load_weights, prepare
from .engine import Engine
from .engine_setup import precisions_of, use_setup
from .live_params import AppliedChanges, LiveParams
from .thread_layout import copy_worker_lanes

if TYPE_CHECKING:
    from voicegraph.schemas.engine_setup import EngineSetup

    from ..plan import CompiledPlan, PlanOrigin
    from ..precision import PrecisionChoice

CROSSFADE_S = 0.02
_MIN_PRIMING = Fraction(3, 10)
"""Seconds that a new engine is primed at least, so that filters without history settle."""
_MAX_PRIMING = Fraction(4)
"""Seconds that it is primed at most, however long its histories are."""
_READY_AFTER = 0.9
"""Part of a block's time in which both engines must compute it for the crossfade."""
_MAX_ATTEMPTS = 5
"""Attempts at a crossfade within that time; then one late block is better than no swap."""
_AT_LAST = 2.0
"""Blocks that the last attempts wait."""
_MAX_QUEUED = 64
"""Blocks that may be queued for a new engine on its own thread; with more it is too slow."""

_NEW_SESSION = "start a new session with that change"

OnProcessed = Callable[[torch.Tensor, torch.Tensor], None]
"""Called with each block and with what the new engine made of it while it is primed."""
Trial = Callable[[Engine, Engine], float]
"""Tries out a new engine beside the running one; returns the seconds of a tick."""


class RunningSession(Protocol):
    """What a hot swap reads and changes of the session that it belongs to."""

    base: PlanOrigin | None
    plan: CompiledPlan
    streams: int
    engine: Engine
    position: int
    overrides: dict[str, Any]
    live_params: LiveParams

    def tick(self, block: torch.Tensor) -> torch.Tensor:
        """The output of the running engine, on the CPU."""
        ...

    def complete_swap(self, swap: HotSwap) -> Engine:
        """Replaces plan and engine by those of ``swap``; returns the engine that ran before."""
        ...

    def abandon_swap(self, swap: HotSwap) -> None:
        """Continues without ``swap``, which has failed; may be called from any thread."""


def plan_change(
    session: RunningSession, overrides: Mapping[str, Any], complete: bool = False
) -> CompiledPlan:
    """The session's pipeline with further overrides, compiled for the same input and output.

    Args:
        session: the session to change.
        overrides: values by dotted path.
        complete: whether they replace earlier changes instead of being added to them.

    Raises:
        PipelineError: if the changed pipeline has mistakes.
        StateError: if it does not fit into the running session; the problem says why.
    """
    wanted = dict(overrides) if complete else {**session.overrides, **overrides}
    return _compiled(session, require_pipeline(session.base).changed(wanted))


def plan_profile(session: RunningSession, *names: str) -> CompiledPlan:
    """The session's pipeline with other profiles, compiled for the same input and output.

    Its origin contains the changes so far, except those of values that the profiles set.

    Raises:
        PipelineError: if there is no such profile, or the changed pipeline has mistakes.
        StateError: if it does not fit into the running session; the problem says why.
    """
    return _compiled(session, require_pipeline(session.plan.origin).with_profiles(*names))


def require_pipeline(origin: PlanOrigin | None) -> PlanOrigin:
    """The pipeline of a plan.

    Raises:
        StateError: if the plan was not compiled from one.
    """
    if origin is None:
        text = "this session's plan was not compiled from a pipeline, so it cannot be changed"
        raise StateError(Problem("no-pipeline", text, fix="Pipeline(...).session()"))
    return origin


def _compiled(session: RunningSession, pipeline: PlanOrigin) -> CompiledPlan:
    old = session.plan
    plan = pipeline.compile(old.source, old.target, old.latency.algorithmic)
    if (problem := _incompatibility(old, plan)) is not None:
        raise StateError(problem)
    return plan


def _incompatibility(old: CompiledPlan, new: CompiledPlan) -> Problem | None:
    """Why a plan cannot replace another one in a running session; None if it can."""
    if new.output_type != old.output_type:
        text = f"the output would become {new.output_type}; this session gives {old.output_type}"
        return Problem("other-output", text, fix=_NEW_SESSION)
    if new.block != old.block:
        one, other = format_duration(old.block), format_duration(new.block)
        text = f"the block cannot change while a session runs: it is {one}, not {other}"
        return Problem("other-block", text, fix=_NEW_SESSION)
    if new.latency.algorithmic > old.latency.algorithmic:
        one, other = (
            format_duration(old.latency.algorithmic),
            format_duration(new.latency.algorithmic),
        )
        text = f"the change needs a latency of {other}; this session was started with {one}"
        notes = (("the latency of a session cannot change", None),)
        fix = f"start the session with enough latency for it: latency {other}"
        return Problem("more-latency", text, notes=notes, fix=fix)
    if new.settings.threads != old.settings.threads:
        text = "the number of threads cannot change while a session runs"
        return Problem("other-threads", text, fix=_NEW_SESSION)
    before, after = _files_written(old), _files_written(new)
    if before != after:
        names = ", ".join(sorted({name for name, *_ in before ^ after}))
        text = (
            f"{names}: the files that a node writes cannot be added, removed or renamed while a "
            "session runs"
        )
        return Problem("keeps-files", text, fix=_NEW_SESSION)
    return None


def _files_written(plan: CompiledPlan) -> set[tuple[str, str, Path]]:
    """Node, param and file of all that is written."""
    return {(node.name, write.param, write.path) for node in plan.nodes for write in node.writes}


class HotSwap:
    """A new plan and its engine, from the build to the crossfade.

    Args:
        session: the running session.
        plan: the plan that replaces the session's; see :func:`plan_change`.
        overrides: the complete overrides from which ``plan`` was compiled.
        base: the pipeline to which they belong; None: the session's.
        fade_at: the tick of the crossfade, for replays; None: as soon as the engine is primed.
        on_processed: called with every block that the new engine processes before the crossfade.
        alone: prime on the thread that calls :meth:`prime` instead of within the session's ticks.
        engine: an engine that has run ``plan`` before and is free; None builds one.
        trial: warms up a new engine beside the one that runs, and returns the seconds of a tick;
            None runs some blocks at full speed.
        setup: how a recorded swap's engine was set up, for replays; by default the running engine
            and trials at load decide.

    Attributes:
        replaces: the plan that the session ran when this swap was made.
        begun_at: the tick before which state was transferred; None until then.
        switched_at: the tick of the crossfade; None until then.
        failed: why the swap failed; None if it has not.
        over: set when the swap is complete or has failed.
        expected_s: seconds of a tick, measured in the trial or warm-up; 0 without one.
        retired: the engine that ran before; None until the crossfade.
        recorded: the event that a recording gets, described before the swap begins.

    Raises:
        DeviceError: if a node's device is missing.
        VoicegraphError: if weights are missing or wrong.
    """

    def __init__(
        self,
        session: RunningSession,
        plan: CompiledPlan,
        overrides: Mapping[str, Any],
        *,
        base: PlanOrigin | None = None,
        fade_at: int | None = None,
        on_processed: OnProcessed | None = None,
        alone: bool = False,
        engine: Engine | None = None,
        trial: Trial | None = None,
        setup: EngineSetup | None = None,
    ) -> None:
        self.session, self.plan, self.overrides = session, plan, dict(overrides)
        self.base = base or session.base
        self.replaces = session.plan
        self.begun_at: int | None = None
        self.switched_at: int | None = None
        self.failed: VoicegraphError | None = None
        self.over = threading.Event()
        self.retired: Engine | None = None
        self.recorded: dict[str, Any] = {}
        self.notes: list[str] = []
        self.expected_s = 0.0
        self._fade_at, self._on_processed, self._alone = fade_at, on_processed, alone
        self._blocks_to_prime = self._patience = math.inf
        self._queue: deque[tuple[torch.Tensor, AppliedChanges, bool]] = deque()
        self._fed = self._done = self._attempts = 0
        self._newest: torch.Tensor | None = None
        self._progress = threading.Condition()
        self._ended = False
        self._ending = threading.Lock()
        self.engine = engine or self._build(trial, setup)
        self.engine.reset()

    def _build(self, trial: Trial | None, setup: EngineSetup | None) -> Engine:
        devices = place_nodes(self.plan, self.notes)
        precisions = _kept_precisions(self.plan, self.session.engine) | precisions_of(setup)
        with torch.inference_mode(False):
            load_weights(self.plan, devices, precisions)
            engine = Engine(self.plan, self.session.streams, devices)
        running = self.session.engine
        if trial is None:
            self.expected_s = 1e-9 * prepare(engine, self.notes, workers=False)
        if setup is None:
            copy_worker_lanes(engine, running)
        else:
            use_setup(engine, setup, self.notes)
        if trial is not None:
            self.expected_s = trial(engine, running)
        return engine

    # ---- the session's thread -----------------------------------------------------------------

    def tick(self, block: torch.Tensor, changes: AppliedChanges) -> torch.Tensor:
        """Processes one block of the session: ``[streams, channels, samples]`` -> its output.

        Must be called in inference mode, on the session's thread.
        """
        if self.begun_at is None and not self._begin():
            return self.session.tick(block)
        if self._alone:
            return self._tick_beside(block, changes)
        if self._ready() and not self._ended:
            return self._fade(block, changes)
        made = self.session.tick(block)
        if not self._ended:
            self._fed += 1
            if self._run_new(block, changes) is not None:
                self._done += 1
        return made

    def _begin(self) -> bool:
        """Transfers state, unless a param is being changed at this moment."""
        session = self.session

        def transfer() -> None:
            missing = transfer_state(session.engine, self.engine)
            seconds = min(max(missing, _MIN_PRIMING), _MAX_PRIMING)
            self._blocks_to_prime = math.ceil(seconds / self.plan.block)
            self._patience = math.ceil(_MAX_PRIMING / self.plan.block)
            self.begun_at = session.position

        return session.live_params.follow(self.engine, transfer)

    def _ready(self) -> bool:
        if self._fade_at is not None:
            return self.session.position >= self._fade_at
        return self._fed == self._done >= self._blocks_to_prime

    def _tick_beside(self, block: torch.Tensor, changes: AppliedChanges) -> torch.Tensor:
        """A tick while the new engine runs on a thread of its own.

        For the crossfade both engines compute the same block at the same time. If that takes too
        long, the session continues with the old output, and a later block is another chance.
        """
        begun = time.perf_counter()
        ready = self._ready() and not self._ended
        self._enqueue(block, changes, urgent=ready)
        old = self.session.tick(block)
        if not ready or self._ended:
            return old
        self._attempts += 1
        parts = _READY_AFTER if self._attempts < _MAX_ATTEMPTS else _AT_LAST
        left = begun + parts * float(self.plan.block) - time.perf_counter()
        with self._progress:
            self._progress.wait_for(lambda: self._done == self._fed or self._ended, max(left, 0))
            new = self._newest if self._done == self._fed else None
        return old if new is None else self._switch(old, new)

    def _fade(self, block: torch.Tensor, changes: AppliedChanges) -> torch.Tensor:
        """The tick of the crossfade, for which the output of both engines is needed."""
        old = self.session.tick(block)
        try:
            changes.apply_to(self.engine)
            new = _require_finite(self.engine.tick(block).cpu())
        except Exception as error:
            self.fail(_as_voicegraph_error(error))
            return old
        return self._switch(old, new)

    def _switch(self, old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        """Crossfades, and replaces the engine; the old output if the swap has ended meanwhile."""
        if not self._end():  # cancelled meanwhile, on another thread
            return old
        made = crossfade(old, new, self.plan)
        self.switched_at = self.session.position
        self.retired = self.session.complete_swap(self)
        self.over.set()
        with self._progress:
            self._progress.notify_all()
        return made

    def fail(self, error: VoicegraphError) -> None:
        """Ends the swap without success; the session continues unchanged.

        May be called from any thread; does nothing if the swap is over.
        """
        if not self._end():
            return
        self.failed = error
        self.session.abandon_swap(self)
        self.over.set()
        with self._progress:
            self._progress.notify_all()

    def _end(self) -> bool:
        """Whether the caller is the first to end the swap, and so decides how it ended."""
        with self._ending:
            first, self._ended = not self._ended, True
        return first

    # ---- priming the new engine ---------------------------------------------------------------

    def _run_new(self, block: torch.Tensor, changes: AppliedChanges) -> torch.Tensor | None:
        """The new engine's output of a block; None if the swap has failed."""
        try:
            changes.apply_to(self.engine)
            made = self.engine.tick(block)
            if self._on_processed is not None:
                self._on_processed(block, made)
        except Exception as error:  # whatever it is, the old engine continues
            self.fail(_as_voicegraph_error(error))
            return None
        return made

    def _enqueue(self, block: torch.Tensor, changes: AppliedChanges, urgent: bool) -> None:
        if self._ended:
            return
        behind = self._fed - self._done
        # Nearly fast enough: it keeps up, but is never ready when the next block is.
        never_ready = behind > 0 and self._fed >= self._blocks_to_prime + self._patience
        if behind >= _MAX_QUEUED or never_ready:
            text = "this machine is too slow to run the new engine and the old one at the same time"
            self.fail(StateError(Problem("no-headroom", text, fix=_NEW_SESSION)))
            return
        with self._progress:
            self._queue.append((block.clone(), changes, urgent))
            self._fed += 1
            self._progress.notify_all()

    def prime(self, idle: threading.Event | None = None) -> None:
        """Primes the new engine on the calling thread, until the swap is over.

        Args:
            idle: set while the session waits for its next block. The new engine computes then, as
                long as it keeps up: the interpreter lock is shared by both.

        Raises:
            VoicegraphError: if the swap failed; the session continues unchanged.
        """
        while not self.over.is_set():
            with self._progress:
                self._progress.wait_for(lambda: self._queue or self.over.is_set(), 0.1)
                entry = self._queue.popleft() if self._queue else None
            if entry is not None and not self.over.is_set():
                self._prime_one(*entry, idle)
        if self.failed is not None:
            raise self.failed

    def _prime_one(
        self,
        block: torch.Tensor,
        changes: AppliedChanges,
        urgent: bool,
        idle: threading.Event | None = None,
    ) -> None:
        if idle is not None and not urgent and not self._queue:
            idle.wait(float(self.plan.block))
        with torch.inference_mode():
            made = self._run_new(block, changes)
            if made is None:
                return
            try:
                newest = _require_finite(made.cpu()) if urgent else None
            except StateError as error:
                self.fail(error)
                return
        with self._progress:
            self._newest = newest
            self._done += 1
            self._progress.notify_all()


def crossfade(old: torch.Tensor, new: torch.Tensor, plan: CompiledPlan) -> torch.Tensor:
    """Crossfades two outputs of the same time span, ``[streams, channels, samples]``.

    Both are strongly correlated, so the weights add up to one (a Hann slope) and not their squares.
    Non-audio outputs switch without a fade.
    """
    kind = plan.output_type
    if not isinstance(kind, Audio):
        return new.clone()
    count = min(max(round(CROSSFADE_S * kind.rate), 1), old.shape[kind.time_axis])
    weight = torch.ones(old.shape[kind.time_axis])
    weight[:count] = 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(count) + 1) / (count + 1))
    return torch.where(weight == 1.0, new, old + weight * (new - old))


def _require_finite(made: torch.Tensor) -> torch.Tensor:
    if not all_finite(made):
        raise StateError(Problem("not-finite", "the new engine gives NaN or infinite values"))
    return made


def _as_voicegraph_error(error: Exception) -> VoicegraphError:
    if isinstance(error, VoicegraphError):
        return error
    text = f"the new engine failed: {type(error).__name__}: {error}"
    notes = tuple((note, None) for note in getattr(error, "__notes__", ()))
    return StateError(Problem("exchange-failed", text, notes=notes))


def _kept_precisions(plan: CompiledPlan, running: Engine) -> dict[str, PrecisionChoice]:
    """What nodes that stay compute in: a trial would disturb the session, and might differ."""
    chosen = running.plan.precisions
    return {
        own.name: chosen[own.name]
        for own in running.plan.nodes
        for new in plan.nodes
        if own.name in chosen and (own.name, own.use, own.device) == (new.name, new.use, new.device)
    }
