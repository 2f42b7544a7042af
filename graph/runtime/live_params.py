"""Live params: params that change between ticks, checked at once and in force at the next tick."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..errors import Problem, StateError
from ..node import NodeParams

if TYPE_CHECKING:
    from .engine import Engine, Step


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


class LiveParams:
    """Collects changes of live params and applies them at block boundaries.

    ``set`` may be called from another thread than the one that runs the ticks.

    Attributes:
        engine: the engine whose params are changed.
        log: applied changes, each with the tick from which it was in force.
        pending: changes that wait for the next tick.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.log: list[tuple[int, Change]] = []
        self.pending: list[Change] = []
        self._next: dict[str, list[NodeParams]] = {}
        self._lock = Lock()

    def set(self, param: str, value: Any, stream: int | None = None) -> None:
        """Checks a change together with the pending ones, and makes it pending.

        Raises:
            StateError: if there is no such live param, or the value does not fit.
        """
        self.check_stream(stream)
        with self._lock:  # includes the look-up: a hot swap may replace the node meanwhile
            step, field = self._find(param)
            if field not in type(_first(step.params)).live_fields():
                raise StateError(_not_live(step, field))
            each = list(self._each(step))
            for i in range(len(each)) if stream is None else (stream,):
                each[i] = _changed(each[i], field, value, param)
            self._next[step.name] = each
            self.pending.append(Change(param, getattr(each[stream or 0], field), stream))

    def get(self, param: str, stream: int = 0) -> Any:
        """The value a param will have at the next tick.

        Raises:
            StateError: if there is no such param.
        """
        self.check_stream(stream)
        step, field = self._find(param)
        return getattr(self._each(step)[stream], field)

    def apply(self, tick: int) -> Sequence[Change]:
        """Applies pending changes and returns them. Called before every tick."""
        if not self.pending:
            return ()
        with self._lock:
            changes, self.pending = self.pending, []
            following, self._next = self._next, {}
        for name, each in following.items():
            # Streams with equal params run as one batch again.
            same = all(params == each[0] for params in each)
            self.engine.by_name[name].params = each[0] if same else each
        self.log.extend((tick, change) for change in changes)
        return changes

    def set_if_known(self, change: Change) -> None:
        """As :meth:`set`, but ignores params that this engine does not have."""
        with suppress(StateError):
            self.set(change.param, change.value, change.stream)

    def rebind(self, engine: Engine) -> None:
        """Continues with another engine; pending changes are kept."""
        with self._lock:
            self.engine = engine
            pending, self.pending, self._next = self.pending, [], {}
        for change in pending:
            self.set_if_known(change)

    def clear_pending(self) -> None:
        """Drops pending changes."""
        with self._lock:
            self.pending, self._next = [], {}

    def check_stream(self, stream: int | None) -> None:
        """Checks a stream number; None means all streams.

        Raises:
            StateError: if there is no such stream.
        """
        if stream is not None and not 0 <= stream < self.engine.streams:
            text = f"stream {stream} does not exist; streams: 0..{self.engine.streams - 1}"
            raise StateError(Problem("no-such-stream", text))

    def _each(self, step: Step) -> list[NodeParams]:
        """The params of every stream at the next tick."""
        pending = self._next.get(step.name)
        if pending is not None:
            return pending
        params = step.params
        return params if isinstance(params, list) else [params] * self.engine.streams

    def _find(self, param: str) -> tuple[Step, str]:
        node, _, field = param.rpartition(".")
        step = self.engine.by_name.get(node)
        if step is not None and field in type(_first(step.params)).model_fields:
            return step, field
        known = [
            f"{s.name}.{name}"
            for s in self.engine.steps
            for name in sorted(type(_first(s.params)).live_fields())
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


def _changed(params: NodeParams, field: str, value: Any, name: str) -> NodeParams:
    """The params with one field changed; both the new model and the change are validated."""
    values = {key: getattr(params, key) for key in type(params).model_fields}
    try:
        changed = type(params).model_validate({**values, field: value})
        params.check_change(changed)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
    except ValueError as error:
        why = str(error)
    else:
        return changed
    raise StateError(Problem("value", f"{name} cannot be {value!r}: {why}"))
