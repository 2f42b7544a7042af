"""Hot swaps of a live session, prepared on a thread of their own so that no block waits.

Every swap has a thread. It cannot be ended from outside, so a swap that takes too long is given up:
its thread is left to itself, whatever it still makes is discarded, and the next swap may begin.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ..errors import Problem, StateError, VoicegraphError
from ..runtime.hot_swap import HotSwap, OnProcessed, plan_change
from ._thread_priority import lower_priority
from ._trial_run import trial_run
from ._yield_to_engine import not_yielding, yielding_to
from .memory_trim import trim_memory

if TYPE_CHECKING:
    from ..plan import CompiledPlan, PlanOrigin
    from ..runtime.engine import Engine
    from ..runtime.session import Session

Say = Callable[[str], None]
LIMIT_S = 60.0
"""Default time limit of a swap in seconds."""
MOST_WAITING = 8
"""Callers that may wait for their turn."""
_REST = 2.0
"""Rest after work beside the engine, in units of the time that the work took."""
_LONGEST_REST_S = 0.5
_FULL = 0.9
"""Part of a block that new nodes may take to compute it: single blocks take longer than most."""
_TOLERATED = 1
"""Late or dropped blocks while the new nodes run along; one can have another cause."""
_ENDED = Problem("ended", "the session has ended")


@dataclass(frozen=True, slots=True)
class PreparedSwap:
    """A compiled change.

    Attributes:
        plan: the plan to run.
        overrides: the complete overrides from which it was compiled.
        base: the pipeline to which they belong; None: the session's.
        engine: an engine that has run ``plan`` before; None builds one.
        on_processed: called with every block that the new engine processes before the crossfade.
        on_swapped: called when the new plan runs, on the thread that prepared it.
    """

    plan: CompiledPlan
    overrides: Mapping[str, Any]
    base: PlanOrigin | None = None
    engine: Engine | None = None
    on_processed: OnProcessed | None = None
    on_swapped: Callable[[HotSwap], None] | None = None


Prepare = Callable[[], PreparedSwap | None]
"""Compiles a change when its turn has come; None if there is nothing to change."""


class _Job:
    """One swap: what it does now, and how it ended.

    Attributes:
        name: of the change, for messages.
        doing: what its thread does now, for messages.
        accepted: whether the change has compiled.
        given_up: why nobody waits for it any more; None while somebody does.
        swap: once it is built.
        done: the result.
    """

    def __init__(self, name: str, prepare: Prepare) -> None:
        self.name, self.prepare = name, prepare
        self.begun = time.monotonic()
        self.doing = "compiled"
        self.accepted = False
        self.given_up: StateError | None = None
        self.swap: HotSwap | None = None
        self.done: Future[None] = Future()

    @property
    def progress(self) -> str:
        """What it does and for how long, in words."""
        seconds = time.monotonic() - self.begun
        return f"{self.name} is being {self.doing}, for {seconds:.0f} s so far"


class SwapWorker:
    """Runs hot swaps one after another.

    Args:
        session: the running session.
        say: adds a message to the live session's.
        limit_s: seconds after which a swap is given up.
        late: number of blocks that were late or dropped so far.
        idle: set while the engine waits for a block; None: it always is.
    """

    def __init__(
        self,
        session: Session,
        say: Say,
        limit_s: float = LIMIT_S,
        late: Callable[[], int] = lambda: 0,
        idle: threading.Event | None = None,
    ) -> None:
        self._session, self._say, self._late = session, say, late
        self._idle = idle or _always()
        self._limit_s = limit_s
        self._job: _Job | None = None
        self._threads: list[threading.Thread] = []
        self._waiting = 0
        self._stopped = False
        self._state = threading.Condition()

    @property
    def busy(self) -> bool:
        """Whether a swap is in progress."""
        return self._job is not None

    @property
    def at_work(self) -> bool:
        """Whether a thread of a swap still runs, that of one that was given up included."""
        return any(thread.is_alive() for thread in self._threads)

    def change(self, overrides: Mapping[str, Any]) -> Future[None]:
        """Begins a swap to the running pipeline with further overrides; see :meth:`begin`."""

        def prepare() -> PreparedSwap:
            # Merged when the turn has come: the swap before may have changed the overrides.
            wanted = {**self._session.overrides, **overrides}
            return PreparedSwap(plan_change(self._session, overrides), wanted)

        return self.begin(
            ", ".join(f"{path}={value}" for path, value in overrides.items()), prepare
        )

    def begin(self, name: str, prepare: Prepare) -> Future[None]:
        """Begins a swap; waits until the swaps before it are over, and until it has compiled.

        Args:
            name: of the change, for messages.
            prepare: compiles it, on the thread of the swap.

        Returns:
            Done when the new plan runs. Fails if the swap does; a message reports that, too.

        Raises:
            VoicegraphError: if the change has mistakes or does not fit; if the swaps before it do
                not end; or if the session ends.
        """
        job = self._take_turn(name, prepare)
        timer = threading.Timer(self._limit_s, self._give_up, (job, self._too_long))
        timer.daemon = True
        job.done.add_done_callback(lambda _: timer.cancel())
        timer.start()
        thread = threading.Thread(
            target=self._run, args=(job,), name="voicegraph-swap", daemon=True
        )
        self._threads = [*filter(threading.Thread.is_alive, self._threads), thread]
        thread.start()
        with self._state:
            self._state.wait_for(lambda: job.accepted or job.done.done())
        if not job.accepted:
            job.done.result()
        return job.done

    def wait(self, seconds: float) -> bool:
        """Waits until no swap is in progress, at most so many seconds; whether that is so."""
        with self._state:
            return self._state.wait_for(lambda: self._job is None, seconds)

    def stop(self) -> None:
        """Gives up the swap in progress and refuses those that wait. Waits for nothing."""
        with self._state:
            self._stopped = True
            job = self._job
            self._state.notify_all()
        if job is not None:
            self._give_up(job, lambda _: _ENDED)

    # ---- the callers' side --------------------------------------------------------------------

    def _take_turn(self, name: str, prepare: Prepare) -> _Job:
        with self._state:
            if self._waiting >= MOST_WAITING:
                text = f"{self._waiting} changes are waiting already"
                raise StateError(self._busy(text))
            self._waiting += 1
            try:
                free = self._state.wait_for(
                    lambda: self._stopped or self._job is None, self._limit_s
                )
            finally:
                self._waiting -= 1
            if self._stopped:
                raise StateError(_ENDED)
            if not free:
                raise StateError(self._busy("the change before is not over"))
            self._job = _Job(name, prepare)
            return self._job

    def _busy(self, text: str) -> Problem:
        text = f"{text}: {self._job.progress}" if self._job is not None else text
        return Problem("busy", text, fix="wait until it is over")

    def _too_long(self, job: _Job) -> Problem:
        text = f"given up after {self._limit_s:g} s, while it was being {job.doing}"
        fix = "start the session with a longer --swap-limit, or with that change"
        return Problem("too-long", text, fix=fix)

    def _give_up(self, job: _Job, why: Callable[[_Job], Problem]) -> None:
        """Leaves a job to itself, unless it is over."""
        error = StateError(why(job))
        with self._state:
            if self._job is not job:
                return
            job.given_up = error
            swap = job.swap
        if swap is not None:
            swap.fail(error)
        self._end(job, error)

    def _end(self, job: _Job, error: Exception | None = None, changed: bool = True) -> None:
        """Records how a job ended; only the first time counts."""
        with self._state:
            if self._job is not job:
                return
            self._job = None
        if error is None and changed:
            self._say(f"changed: {job.name}")
        elif error is not None and job.accepted:  # otherwise the caller raises it
            shown = error if isinstance(error, VoicegraphError) else _described(error)
            self._say(f"not changed ({job.name}): {shown}")
        if error is None:
            job.done.set_result(None)
        else:
            job.done.set_exception(error)
        with self._state:
            self._state.notify_all()

    # ---- the thread of a swap -----------------------------------------------------------------

    def _run(self, job: _Job) -> None:
        lower_priority()
        try:
            self._swap(job)
        except Exception as error:  # nobody joins this thread: the future and a message report it
            self._end(job, error)
        job.swap = None  # its old engine
        self._idle.wait(_LONGEST_REST_S)
        trim_memory()

    def _swap(self, job: _Job) -> None:
        with yielding_to(self._idle):
            prepared = job.prepare()
        if prepared is None:
            self._accept(job)
            self._end(job, changed=False)
            return
        self._step(job, "loaded")
        self._accept(job)
        with yielding_to(self._idle):
            swap = self._build(job, prepared)
        self._enter(job, swap)
        if prepared.on_swapped is not None:
            prepared.on_swapped(swap)
        self._end(job)

    def _accept(self, job: _Job) -> None:
        with self._state:
            job.accepted = True
            self._state.notify_all()

    def _step(self, job: _Job, doing: str) -> None:
        """Notes what the job does next.

        Raises:
            StateError: if it was given up meanwhile.
        """
        with self._state:
            if job.given_up is not None:
                raise job.given_up
            job.doing = doing

    def _build(self, job: _Job, prepared: PreparedSwap) -> HotSwap:
        return HotSwap(
            self._session,
            prepared.plan,
            prepared.overrides,
            base=prepared.base,
            alone=True,
            engine=prepared.engine,
            on_processed=self._unless_late(prepared.on_processed),
            trial=lambda engine, running: self._try_out(job, engine, running),
        )

    def _unless_late(self, on_processed: OnProcessed | None) -> OnProcessed:
        """Ends a swap whose new nodes, while they run along, make the session late."""
        before: int | None = None

        def processed(block: torch.Tensor, made: torch.Tensor) -> None:
            nonlocal before
            late = self._late()
            before = late if before is None else before
            if late - before > _TOLERATED:
                text = "this machine is too slow to run the new nodes beside the old ones"
                raise StateError(Problem("no-headroom", text, fix="start a session with them"))
            if on_processed is not None:
                on_processed(block, made)

        return processed

    def _try_out(self, job: _Job, engine: Engine, running: Engine) -> float:
        """The trial run; it rests longer if a block of the session is late meanwhile."""
        rest = _Pacing(self._late)

        def pause(seconds: float) -> None:
            self._step(job, "tried out")
            rest(seconds)

        pause(0.0)
        with not_yielding():  # the times of the nodes count
            return trial_run(engine, running, pause)

    def _enter(self, job: _Job, swap: HotSwap) -> None:
        block_ms, takes_ms = 1e3 * float(swap.plan.block), 1e3 * swap.expected_s
        now_ms = self._session.engine.total.summary().median_ms
        # A change that lightens the load is welcome even in a session that is always late.
        if takes_ms > max(_FULL * block_ms, now_ms):
            text = f"a block would take {takes_ms:.0f} ms to compute, and lasts {block_ms:.0f} ms"
            if takes_ms <= block_ms:
                text += ", which leaves too little for other work"
            raise StateError(Problem("no-headroom", text, fix="start with a larger block"))
        with self._state:
            if job.given_up is not None:
                raise job.given_up
            job.doing, job.swap = "primed with the newest input", swap
        self._session.begin_swap(swap)
        swap.prime(self._idle)


class _Pacing:
    """Rests after work beside the engine; longer if a block of the session is late meanwhile.

    Args:
        late: number of blocks that were late or dropped so far.
    """

    def __init__(self, late: Callable[[], int]) -> None:
        self._late = late
        self._before = late()
        self._rest = _REST

    def __call__(self, seconds: float) -> None:
        """Rests after so many seconds of work."""
        before, self._before = self._before, self._late()
        if self._before > before:
            self._rest *= 2
        time.sleep(min(self._rest * seconds, _LONGEST_REST_S))


def _always() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def power(block: torch.Tensor) -> float:
    """Mean power of a block over all axes."""
    return float(block.square().mean())
