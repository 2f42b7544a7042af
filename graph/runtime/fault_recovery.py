"""Fault recovery: a session goes on after a node has failed.

At a fault the output fades to silence, and all state is reset: the nodes before the one that failed
have already processed the block, those behind it have not. The first attempt to go on follows at
once, with the same nodes and new state. Later ones follow after growing pauses, with nodes that
are built and loaded anew on another thread. After the last one the output stays silent until a
param changes or nodes are swapped. Ticks go on meanwhile: input and silence are recorded, and a
replay resumes at the same ticks.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import torch

from ..errors import NodeFailedError, VoicegraphError
from ..signals import Audio
from ._node_failure import out_of_memory
from .hot_swap import CROSSFADE_S, HotSwap, RunningSession

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from .engine import Engine

PAUSES_S = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each attempt; after as many failed attempts the output stays silent."""
_HEALTHY_S = 30.0
"""Seconds without a fault after which the attempts are counted from the beginning."""
_FADE_OUT_S = 0.005

Background = Callable[[Callable[[], None]], None]
"""Runs a function on another thread."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure of a node in a running session.

    Attributes:
        tick: the tick at which it failed, or at which it was to run again.
        node: the node's name; empty if it is not known.
        text: node and cause in one line.
        retry_s: seconds until the next attempt; None: the output stays silent.
        attempts: failed attempts in a row, this one included.
    """

    tick: int
    node: str
    text: str
    retry_s: float | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """The end of a fault.

    Attributes:
        tick: the first tick with output.
        node: the node that had failed.
        silent_s: seconds without output.
    """

    tick: int
    node: str
    silent_s: float


Report = Callable[[Fault | Recovered], None]


class RecoverableSession(RunningSession, Protocol):
    """What the recovery reads and changes of its session."""

    def run_engine(self, block: torch.Tensor) -> torch.Tensor:
        """Runs all nodes; raises if one fails, or if values are not finite."""
        ...

    def replace_engine(self, engine: Engine) -> bool:
        """Continues with another engine for the same plan; False if that is not possible now."""
        ...

    def note(self, tick: int, **what: Any) -> None:
        """Writes an event to the recording."""


class Silencer:
    """Fades the output of a session to silence and back.

    Attributes:
        silent: the engine is not run; the output is silent.
        last: newest output of each stream and channel, from which a failure fades out.
    """

    def __init__(self, session: RecoverableSession) -> None:
        self.session = session
        self.silent = False
        kind = session.plan.output_type
        self._audio = isinstance(kind, Audio)
        self._axis = kind.time_axis
        self._shape = kind.shape(session.streams, session.plan.samples_out)
        self.last = torch.zeros(kind.shape(session.streams, 1))
        self._rising = False
        self._fall = _slope(_FADE_OUT_S, kind.rate, self._shape[self._axis]).flip(0)
        self._rise = _slope(CROSSFADE_S, kind.rate, self._shape[self._axis])

    def run(self, block: torch.Tensor) -> torch.Tensor:
        """The output block of the engine, or silence."""
        if self.silent:
            return self._silence()
        made = self.session.run_engine(block)
        if self._rising:
            made = self._faded_in(made)
        self.last.copy_(made.narrow(self._axis, made.shape[self._axis] - 1, 1))
        return made

    def mute(self) -> None:
        """Silences the output from this tick on, and resets the engine."""
        self.silent = True
        self.session.engine.reset()
        self.session.engine.silence()

    def resume(self, last: torch.Tensor | None, silent: bool) -> None:
        """Goes on like the silencer of another session, whose state was restored.

        Args:
            last: its attribute; None: that of a new session.
            silent: its attribute.
        """
        if last is not None:
            self.last.copy_(last)
        self.silent = silent
        if silent:
            self.session.engine.silence()

    def unmute(self) -> None:
        """Runs the engine again from this tick on."""
        self.silent, self._rising = False, True

    def engine_replaced(self) -> None:
        """Goes on with the engine of a hot swap, which has faded in its output."""
        self.silent = False

    def params_changed(self) -> None:
        """Is told that live params have changed."""

    def _silence(self) -> torch.Tensor:
        """A silent block; the first one begins with the newest value, which decays."""
        made = torch.zeros(self._shape)
        if self._audio:
            made[..., : len(self._fall)] = self.last * self._fall
        self.last.zero_()
        return made

    def _faded_in(self, made: torch.Tensor) -> torch.Tensor:
        self._rising = False
        if not self._audio:
            return made
        made = made.clone()
        made[..., : len(self._rise)] *= self._rise
        return made


def _slope(seconds: float, rate: Fraction, most: int) -> torch.Tensor:
    """Half a cosine from 0 to 1, ``[samples]``, so that neither value nor slope jumps."""
    count = min(max(round(seconds * rate), 1), most)
    return 0.5 - 0.5 * torch.cos(math.pi * (torch.arange(count) + 1) / (count + 1))


class FaultRecovery(Silencer):
    """Decides when a session runs again after a fault.

    All methods are called on the thread that processes.

    Args:
        session: the session.
        report: is told of faults and recoveries; must not wait.
        background: runs a function on another thread.

    Attributes:
        counts: faults by node.
        newest: the newest fault; None before the first.
        silent_ticks: ticks without output so far.
    """

    def __init__(
        self, session: RecoverableSession, report: Report, background: Background | None = None
    ) -> None:
        super().__init__(session)
        self.counts: Counter[str] = Counter()
        self.newest: Fault | None = None
        self.silent_ticks = 0
        self._report = report
        self._background = background or _on_a_thread
        self._block_s = float(session.plan.block)
        self._attempts = 0
        self._retry_at: float = 0
        self._pending = False  # the engine runs again, and the end of the fault is not reported yet
        self._ran_from = self._silent_from = session.position
        self._build: _Rebuild | None = None

    @property
    def silenced_by(self) -> str | None:
        """The node whose fault silences the output now; None if there is output."""
        return self.newest.node if self.silent and self.newest is not None else None

    def run(self, block: torch.Tensor) -> torch.Tensor:
        """The output block of the engine, or silence during a fault."""
        try:
            if not self.silent or self._resumes():
                made = super().run(block)
                self._has_run()
                return made
        except Exception as error:
            self._fail(error)
        self.silent_ticks += 1
        return self._silence()

    def engine_replaced(self) -> None:
        """Ends the fault: a hot swap has replaced the engine, and faded in its output."""
        self._pending = self._pending or self.silent
        self.silent = False
        self._has_run()
        self._attempts, self._build, self._ran_from = 0, None, self.session.position

    def params_changed(self) -> None:
        """Allows an attempt at once: a change of a param may have removed the cause."""
        if self.silent:
            self._attempts = min(self._attempts, 1)
            self._retry_at = self.session.position

    # ---- attempts -----------------------------------------------------------------------------

    def _resumes(self) -> bool:
        """Whether the engine runs again from this tick on."""
        if self.session.position < self._retry_at:
            return False
        if self._attempts > 1 and not self._install_rebuilt():
            return False
        self.unmute()
        self._ran_from = self.session.position
        self.session.note(self.session.position, recovered=True)
        self._pending = True
        return True

    def _has_run(self) -> None:
        """Reports the end of a fault after the first tick with output."""
        position = self.session.position
        if self._pending:
            self._pending = False
            node = self.newest.node if self.newest is not None else ""
            self._report(Recovered(position, node, (position - self._silent_from) * self._block_s))
        self._silent_from = position + 1

    def _install_rebuilt(self) -> bool:
        """Continues with an engine that was built anew; False while it is being built."""
        build = self._build
        if build is None or build.plan is not self.session.plan:
            self._build = build = _Rebuild(self.session)
            self._background(build.run)
        if not build.done:
            return False
        if build.failed is not None:
            self._build = None
            raise build.failed
        assert build.engine is not None
        if not self.session.replace_engine(build.engine):
            return False
        self._build = None
        return True

    def _fail(self, error: Exception) -> None:
        """Counts a fault, and plans the next attempt."""
        position = self.session.position
        if (self._silent_from - self._ran_from) * self._block_s > _HEALTHY_S:
            self._attempts = 0
        self._attempts += 1
        node, text = _node_of(error), _one_line(error)
        if not self.silent:
            self.session.note(position, fault=node, error=text)
        self._reset(error)
        more = self._attempts <= len(PAUSES_S)
        pause = PAUSES_S[self._attempts - 1] if more else None
        self._retry_at = math.inf if pause is None else position + 1 + pause / self._block_s
        self.counts[node] += 1
        self.newest = Fault(position, node, text, pause, self._attempts)
        self._report(self.newest)

    def _reset(self, error: Exception) -> None:
        """Resets all state; if that fails, too, the next attempt builds the nodes anew."""
        try:
            self.mute()
        except Exception:
            self._attempts = max(self._attempts, 2)
        if out_of_memory(error.__cause__ or error) and torch.cuda.is_initialized():
            torch.cuda.empty_cache()


class _Rebuild:
    """Builds the running plan anew: new nodes, weights loaded again, warmed up."""

    def __init__(self, session: RecoverableSession) -> None:
        self.plan = session.plan
        self.engine: Engine | None = None
        self.failed: Exception | None = None
        self.done = False
        self._session = session

    def run(self) -> None:
        """Builds; on a thread of its own."""
        try:
            self.engine = HotSwap(self._session, self._compiled(), {}, alone=True).engine
        except Exception as error:  # reported and counted as a failed attempt
            self.failed = error
        self.done = True

    def _compiled(self) -> CompiledPlan:
        """The plan again, with node objects of its own."""
        plan, base = self.plan, self._session.base
        if base is None:  # not compiled from a pipeline: the node objects stay
            return plan
        return base.changed(self._session.overrides).compile(plan.source, plan.target, plan.held)


def _on_a_thread(run: Callable[[], None]) -> None:
    threading.Thread(target=run, name="voicegraph-rebuild", daemon=True).start()


def _node_of(error: Exception) -> str:
    return error.node if isinstance(error, NodeFailedError) else ""


def _one_line(error: Exception) -> str:
    """Message and innermost place, in one line."""
    if not isinstance(error, VoicegraphError):
        return f"{type(error).__name__}: {error}"
    first = error.problems[0]
    place = f" ({first.notes[0][0]})" if first.notes else ""
    return first.message + place
