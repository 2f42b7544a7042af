"""Live params: params that change between ticks, checked at once and in force at the next tick.

Whoever sets a param validates it on their own thread and outside every lock that the ticks take: a
check may open a file. The ticks exchange references only, and never wait: if another thread is
handing over a change at that moment, it is applied one tick later.

While a hot swap is in progress, a change is prepared for both engines.
"""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..errors import Problem, StateError
from ..node import Node, NodeParams

if TYPE_CHECKING:
    from .engine import Engine, Step

KEPT = 1024
"""Applied changes that the log keeps; a recording has all of them."""
_MOST_PENDING = 1024
"""Changes that wait one by one; beyond, only the newest of each param and stream is kept."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one live param.

    Attributes:
        param: ``node.param``.
        value: the new value as the node's params model holds it, in whatever form it was given.
        stream: number of the stream; None: all streams.
    """

    param: str
    value: Any
    stream: int | None = None


class AppliedChanges:
    """The changes of one tick.

    Attributes:
        changes: in the order in which they were made.
    """

    __slots__ = ("_staged", "changes")

    def __init__(
        self, changes: tuple[Change, ...] = (), staged: tuple[tuple[Engine, _Staged], ...] = ()
    ) -> None:
        self.changes = changes
        self._staged = staged

    def apply_to(self, engine: Engine) -> None:
        """Sets the params of an engine that they were prepared for; of others, nothing."""
        for target, staged in self._staged:
            if target is engine:
                _assign(engine, staged)


NO_CHANGES = AppliedChanges()

_Staged = Mapping[str, list[NodeParams]]
"""Node -> validated params of every stream at the next tick."""


@dataclass(slots=True, eq=False)
class _Target:
    """An engine that changes are prepared for, with the params that are not applied yet."""

    engine: Engine
    staged: dict[str, list[NodeParams]] = field(default_factory=dict)

    def each(self, step: Step) -> list[NodeParams]:
        """The params of every stream at the next tick."""
        staged = self.staged.get(step.name)
        if staged is not None:
            return staged
        params = step.params
        return params if isinstance(params, list) else [params] * self.engine.streams


class LiveParams:
    """Collects changes of live params and applies them at block boundaries.

    ``set`` and ``get`` may be called from any thread; the rest belongs to the thread that runs the
    ticks.

    Attributes:
        log: the newest applied changes, each with the tick from which it was in force.
    """

    def __init__(self, engine: Engine) -> None:
        self.log: deque[tuple[int, Change]] = deque(maxlen=KEPT)
        self._targets: tuple[_Target, ...] = (_Target(engine),)
        self._pending: list[tuple[Change, tuple[_Target, ...]]] = []
        self._lock = Lock()  # held for exchanges of references only, never for a check
        self._node_locks: dict[str, Lock] = {}

    @property
    def engine(self) -> Engine:
        """The engine whose params are changed."""
        return self._targets[0].engine

    @property
    def waiting(self) -> bool:
        """Whether changes wait for the next tick; asked at every tick."""
        return bool(self._pending)

    @property
    def pending(self) -> list[Change]:
        """Changes that wait for the next tick."""
        return [change for change, _ in self._pending]

    # ---- any thread ---------------------------------------------------------------------------

    def set(self, param: str, value: Any, stream: int | None = None) -> None:
        """Checks a change together with the pending ones, and makes it pending.

        Raises:
            StateError: if there is no such live param, or the value does not fit.
        """
        self.check_stream(stream)
        step, _ = _find(self.engine, param)
        with self._lock:
            checking = self._node_locks.setdefault(step.name, Lock())
        with checking:  # the next change of this node is checked together with this one
            while not self._try_set(param, value, stream):
                pass

    def _try_set(self, param: str, value: Any, stream: int | None) -> bool:
        """Checks a change; False if a hot swap began or ended meanwhile: then it counts anew."""
        targets = self._targets
        first, *others = targets
        step, name = _find(first.engine, param)
        if name not in type(_first(step.params)).live_fields():
            raise StateError(_not_live(step, name))
        prepared = {first: _changed(first, param, value, stream)}
        for target in others:
            try:
                prepared[target] = _changed(target, param, value, stream)
            except StateError:  # the new pipeline has no such param, or not this value
                continue
        change = Change(param, getattr(prepared[first][stream or 0], name), stream)
        with self._lock:
            if targets is not self._targets:
                return False
            for target, each in prepared.items():
                target.staged[step.name] = each
            self._pending.append((change, tuple(prepared)))
            if len(self._pending) > _MOST_PENDING:
                self._pending = _newest_of_each(self._pending)
        return True

    def get(self, param: str, stream: int = 0) -> Any:
        """The value a param will have at the next tick.

        Raises:
            StateError: if there is no such param.
        """
        self.check_stream(stream)
        target = self._targets[0]
        step, name = _find(target.engine, param)
        return getattr(target.each(step)[stream], name)

    def check_stream(self, stream: int | None) -> None:
        """Checks a stream number; None means all streams.

        Raises:
            StateError: if there is no such stream.
        """
        streams = self.engine.streams
        if stream is not None and not 0 <= stream < streams:
            text = f"stream {stream} does not exist; streams: 0..{streams - 1}"
            raise StateError(Problem("no-such-stream", text))

    # ---- the thread that runs the ticks -------------------------------------------------------

    def apply(self, tick: int, wait: bool = False) -> AppliedChanges:
        """Applies pending changes. Called before every tick.

        Args:
            tick: the tick from which they are in force.
            wait: whether to wait for a thread that is handing over a change at this moment.
        """
        if not self._pending or not self._lock.acquire(blocking=wait):
            return NO_CHANGES
        try:
            targets = self._targets
            pending, self._pending = self._pending, []
            staged = tuple((target.engine, target.staged) for target in targets)
            # First the engine, then the staging: whoever reads without the lock finds a new value
            # in one of them.
            _assign(targets[0].engine, targets[0].staged)
            for target in targets:
                target.staged = {}
        finally:
            self._lock.release()
        changes = tuple(change for change, known in pending if targets[0] in known)
        self.log.extend((tick, change) for change in changes)
        return AppliedChanges(changes, staged)

    def follow(self, engine: Engine, transfer: Callable[[], None]) -> bool:
        """From now on prepares changes for the engine of a hot swap, too.

        Args:
            engine: the new engine.
            transfer: copies the current params to it.

        Returns:
            Whether it began; if changes are pending, it has to be tried again at the next tick.
        """
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self._pending:
                return False
            transfer()
            self._targets = (self._targets[0], _Target(engine))
        finally:
            self._lock.release()
        return True

    @property
    def following(self) -> bool:
        """Whether changes are prepared for the engine of a hot swap, too."""
        return len(self._targets) > 1

    def unfollow(self) -> None:
        """Prepares changes for the running engine alone: the hot swap has failed."""
        self._targets = self._targets[:1]

    def rebind(self, engine: Engine) -> None:
        """Continues with the engine that was followed; pending changes are kept."""
        known = next((target for target in self._targets if target.engine is engine), None)
        self._targets = (known or _Target(engine),)

    def clear_pending(self) -> None:
        """Drops pending changes, and those that are being checked start from the present values."""
        with self._lock:
            self._pending = []
            self._targets = (_Target(self.engine),)


def _newest_of_each(
    pending: list[tuple[Change, tuple[_Target, ...]]],
) -> list[tuple[Change, tuple[_Target, ...]]]:
    """The newest change of each param and stream; those in between were never processed."""
    newest = {(change.param, change.stream): i for i, (change, _) in enumerate(pending)}
    return [pending[i] for i in sorted(newest.values())]


def _assign(engine: Engine, staged: _Staged) -> None:
    for name, each in staged.items():
        # Streams with equal params run as one batch again.
        engine.by_name[name].params = each[0] if len(each) == 1 or _all_same(each) else each


def _all_same(each: list[NodeParams]) -> bool:
    return all(params is each[0] for params in each)


def _find(engine: Engine, param: str) -> tuple[Step, str]:
    node, _, name = param.rpartition(".")
    step = engine.by_name.get(node)
    if step is not None and name in type(_first(step.params)).model_fields:
        return step, name
    known = [
        f"{s.name}.{live}"
        for s in engine.steps
        for live in sorted(type(_first(s.params)).live_fields())
    ]
    close = difflib.get_close_matches(param, known, 1, 0.4)
    text = f"there is no param {param}; live params: {', '.join(known) or 'none'}"
    raise StateError(Problem("no-such-param", text, fix=close[0] if close else None))


def _not_live(step: Step, field: str) -> Problem:
    live = type(_first(step.params)).live_fields()
    text = f"{step.name}.{field} cannot change while the session runs"
    known = ", ".join(f"{step.name}.{name}" for name in sorted(live)) or "none"
    notes = ((f"live params of {step.name}: {known}", None),)
    fix = f"start a new session with --set nodes.{step.name}.params.{field}=..."
    return Problem("not-live", text, notes=notes, fix=fix)


def _first(params: Any) -> NodeParams:
    return params[0] if isinstance(params, list) else params


def _changed(target: _Target, param: str, value: Any, stream: int | None) -> list[NodeParams]:
    """The params of every stream after a change; equal ones are one object.

    Raises:
        StateError: if the engine has no such param, or the value does not fit.
    """
    step, name = _find(target.engine, param)
    each = list(target.each(step))
    for i in range(len(each)) if stream is None else (stream,):
        each[i] = _validated(step.node, each[i], name, value, param)
    first = each[0]
    return [first if params == first else params for params in each]


def _validated(
    node: Node[Any, Any], params: NodeParams, name: str, value: Any, shown: str
) -> NodeParams:
    """The params with one field changed; both the new model and the change are validated."""
    values = {key: getattr(params, key) for key in type(params).model_fields}
    try:
        changed = type(params).model_validate({**values, name: value})
        node.check_change(params, changed)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
    except ValueError as error:
        why = str(error)
    else:
        return changed
    raise StateError(Problem("value", f"{shown} cannot be {value!r}: {why}"))
