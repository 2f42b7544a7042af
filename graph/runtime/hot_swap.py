"""Exchanges the plan of a session while it runs: nodes, voices, anything that files can say.

The new engine is built and warmed up beside the one that runs. Between two ticks it takes over what
fits of the other's memory (:mod:`.inheriting`); then it runs along unheard, on another thread if
there is one, until nothing in it is a hole; in one tick both are heard under a crossfade, and the
old one goes. Until then whatever fails leaves the session as it was.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import torch

from voicegraph.schemas.quantities import format_duration

from ..errors import Problem, StateError, VoicegraphError
from ..signals import Audio
from ._device_placement import place_session
from ._reblocking import finite
from ._state_transfer import inherit
from ._warmup import load_weights, prepare, workers_like
from .engine import Engine
from .live_params import Change, Controls

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from .session import Session

CROSSFADE_S = 0.02
_PRIMING = Fraction(3, 10)
"""Seconds that a new engine runs along at least: filters without history settle."""
_LONGEST = Fraction(4)
"""Seconds that it runs along at most, however long its histories are."""
_WAITING = 64
"""Blocks that may wait for a new engine on a thread of its own; more, and it is too slow."""

Heard = Callable[[torch.Tensor, torch.Tensor], None]
"""Takes a block and what a new engine made of it, before that is heard."""


def plan_change(
    session: Session, overrides: Mapping[str, Any], complete: bool = False
) -> CompiledPlan:
    """The session's pipeline with further overrides, compiled for the same ends.

    Args:
        session: the one to change.
        overrides: by dotted path.
        complete: they replace what was changed before, rather than being added to it.

    Raises:
        PipelineError: if the changed pipeline has mistakes.
        StateError: if it does not fit into the running session; the problem says why.
    """
    if session.base is None:
        text = "this session's plan was not compiled from a pipeline, so nothing can be exchanged"
        raise StateError(Problem("no-pipeline", text, fix="Pipeline(...).session()"))
    wanted = dict(overrides) if complete else {**session.overrides, **overrides}
    old = session.plan
    held = old.latency.algorithmic
    plan = session.base.changed(wanted).compile(old.source, old.target, held)
    if (misfit := _misfit(old, plan)) is not None:
        raise StateError(misfit)
    return plan


def _misfit(old: CompiledPlan, new: CompiledPlan) -> Problem | None:
    """Why a plan cannot take the place of another while that runs."""
    if new.output_type != old.output_type:
        text = f"the output would become {new.output_type}; this session gives {old.output_type}"
        return Problem("other-output", text, fix="begin a new session with that change")
    if new.block != old.block:
        one, other = format_duration(old.block), format_duration(new.block)
        text = f"the block cannot change while a session runs: it is {one}, not {other}"
        return Problem("other-block", text, fix="begin a new session with that change")
    if new.latency.algorithmic > old.latency.algorithmic:
        one, other = (
            format_duration(old.latency.algorithmic),
            format_duration(new.latency.algorithmic),
        )
        text = f"it would need a latency of {other}; this session was begun with {one}"
        notes = (("the delay of a session stays what it is", None),)
        fix = f"begin the session with room for it: latency {other}"
        return Problem("more-latency", text, notes=notes, fix=fix)
    if new.settings.threads != old.settings.threads:
        text = "the number of threads cannot change while a session runs"
        return Problem("other-threads", text, fix="begin a new session with that change")
    before, after = _kept(old), _kept(new)
    if before != after:
        text = f"{', '.join(sorted(before ^ after))}: files are kept from a session's beginning on"
        return Problem("keeps-files", text, fix="begin a new session with that change")
    return None


def _kept(plan: CompiledPlan) -> set[str]:
    """Nodes that keep files."""
    return {planned.name for planned in plan.nodes if planned.node.keeps(planned.params)}


class Exchange:
    """A plan on its way into a session.

    Args:
        session: the one that runs.
        plan: what shall run instead; see :func:`plan_change`.
        overrides: the complete set that made ``plan`` of the session's pipeline.
        fade_at: the tick of the crossfade, for replays; None: as soon as it is ready.
        heard: told of everything the new engine makes before it is heard.
        alone: prime on the thread that calls :meth:`prime`, not within the session's ticks.
        engine: one that has run ``plan`` before, and is not needed elsewhere.

    Attributes:
        begun_at: the tick before which state was taken over; None until then.
        adopted_at: the tick of the crossfade; None until then.
        failed: why it was given up.
        over: set when it is adopted, or has failed.
        expected_s: seconds that a tick took at the warm-up; 0 where there was none.
        retired: the engine that ran before.

    Raises:
        DeviceError: if a node's device is not there.
        VoicegraphError: if weights are missing or wrong.
    """

    def __init__(
        self,
        session: Session,
        plan: CompiledPlan,
        overrides: Mapping[str, Any],
        *,
        fade_at: int | None = None,
        heard: Heard | None = None,
        alone: bool = False,
        engine: Engine | None = None,
    ) -> None:
        self.session, self.plan, self.overrides = session, plan, dict(overrides)
        self.begun_at: int | None = None
        self.adopted_at: int | None = None
        self.failed: VoicegraphError | None = None
        self.over = threading.Event()
        self.retired: Engine | None = None
        self.notes: list[str] = []
        self.expected_s = 0.0
        self._fade_at, self._heard, self._alone = fade_at, heard, alone
        self._todo = math.inf
        self._waiting: deque[tuple[torch.Tensor, Sequence[Change]]] = deque()
        self._fed = self._done = 0
        self._more = threading.Condition()
        self.engine = engine or self._build()
        self.engine.reset()
        self._controls = Controls(self.engine)

    def _build(self) -> Engine:
        devices = place_session(self.plan, self.notes)
        with torch.inference_mode(False):
            load_weights(self.plan, devices)
            engine = Engine(self.plan, self.session.streams, devices)
            self.expected_s = 1e-9 * prepare(engine, self.notes, workers=False)
        workers_like(engine, self.session._engine)
        return engine

    # ---- the session's thread -----------------------------------------------------------------

    def tick(self, block: torch.Tensor, changes: Sequence[Change]) -> torch.Tensor:
        """One block through the session; must be called in inference mode."""
        session = self.session
        if self.begun_at is None:
            self._begin()
        if self.failed is None and self._ready():
            return self._fade(block, changes)
        made = session._engine.tick(block)
        if self.failed is not None:
            session.leave(self)
        elif self._alone:
            self._hand_over(block, changes)
        else:
            self._fed += 1
            self._run(block, changes)
        return made

    def _begin(self) -> None:
        missing = inherit(self.session._engine, self.engine)
        seconds = min(max(missing, _PRIMING), _LONGEST)
        self._todo = math.ceil(seconds / self.plan.block)
        self.begun_at = self.session.position

    def _ready(self) -> bool:
        if self._fade_at is not None:
            return self.session.position >= self._fade_at
        return self._fed == self._done >= self._todo

    def _fade(self, block: torch.Tensor, changes: Sequence[Change]) -> torch.Tensor:
        """The one tick in which both run."""
        session = self.session
        old = session._engine.tick(block).cpu()
        try:
            self._apply(changes)
            new = _sound(self.engine.tick(block).cpu())
        except Exception as error:
            self.fail(_told(error))
            session.leave(self)
            return old
        made = crossfade(old, new, self.plan)
        self.adopted_at = session.position
        self.retired = session.adopt(self)
        self.over.set()
        with self._more:
            self._more.notify_all()
        return made

    def fail(self, error: VoicegraphError) -> None:
        """Gives up; the session goes on as it was."""
        self.failed = error
        self.over.set()
        with self._more:
            self._more.notify_all()

    # ---- running along ------------------------------------------------------------------------

    def _run(self, block: torch.Tensor, changes: Sequence[Change]) -> None:
        try:
            self._apply(changes)
            made = self.engine.tick(block)
            if self._heard is not None:
                self._heard(block, made)
        except Exception as error:  # whatever it is, the old one goes on
            self.fail(_told(error))
            return
        self._done += 1

    def _apply(self, changes: Sequence[Change]) -> None:
        """Params that both have are changed in both."""
        for change in changes:
            self._controls.take(change)
        self._controls.apply(self.session.position)

    def _hand_over(self, block: torch.Tensor, changes: Sequence[Change]) -> None:
        if self._fed - self._done >= _WAITING:
            text = "this machine is too slow to run the new one beside the old one"
            self.fail(StateError(Problem("no-headroom", text, fix="begin a new session with it")))
            return
        with self._more:
            self._waiting.append((block.clone(), changes))
            self._fed += 1
            self._more.notify_all()

    def prime(self) -> None:
        """Runs along with the session on the calling thread, until it is over.

        Raises:
            VoicegraphError: if it was given up; the session goes on as it was.
        """
        while not self.over.is_set():
            with self._more:
                self._more.wait_for(lambda: self._waiting or self.over.is_set(), 0.1)
                entry = self._waiting.popleft() if self._waiting else None
            if entry is not None and not self.over.is_set():
                with torch.inference_mode():
                    self._run(*entry)
                with self._more:
                    self._more.notify_all()
        if self.failed is not None:
            raise self.failed


def crossfade(old: torch.Tensor, new: torch.Tensor, plan: CompiledPlan) -> torch.Tensor:
    """From one output to the other within one block, ``[streams, channels, samples]``.

    Both lie on the same time and are much alike, so that the weights add up to one (Hann's slope).
    What is no audio changes at once.
    """
    kind = plan.output_type
    if not isinstance(kind, Audio):
        return new.clone()
    count = min(max(round(CROSSFADE_S * kind.rate), 1), old.shape[kind.time_axis])
    weight = torch.ones(old.shape[kind.time_axis])
    weight[:count] = 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(count) + 1) / (count + 1))
    return torch.where(weight == 1.0, new, old + weight * (new - old))


def _sound(made: torch.Tensor) -> torch.Tensor:
    if not finite(made):
        raise StateError(Problem("not-finite", "it gives NaN or infinite values"))
    return made


def _told(error: Exception) -> VoicegraphError:
    if isinstance(error, VoicegraphError):
        return error
    text = f"it failed as it ran along: {type(error).__name__}: {error}"
    notes = tuple((note, None) for note in getattr(error, "__notes__", ()))
    return StateError(Problem("exchange-failed", text, notes=notes))
