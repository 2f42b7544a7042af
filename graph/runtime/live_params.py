"""Live params: checked at once, in force from the next tick, logged."""

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
    """One control change: ``node.param`` to ``value``, for one stream or all (None).

    ``value`` is as the node's params model holds it, whatever form it was given in.
    """

    param: str
    value: Any
    stream: int | None = None


class Controls:
    """Keeps pending changes and applies them at block boundaries.

    ``set`` may be called from another thread than the one that runs the ticks.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.log: list[tuple[int, Change]] = []
        self.pending: list[Change] = []
        self._next: dict[str, list[NodeParams]] = {}
        self._lock = Lock()

    def set(self, param: str, value: Any, stream: int | None = None) -> None:
        """Checks a change, together with those that are pending, and keeps it for the next tick.

        Raises:
            StateError: if there is no such live param, or the value does not fit.
        """
        self.check_stream(stream)
        with self._lock:  # the node is looked up within: it may be exchanged meanwhile
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
        """Brings pending changes into force; what was applied. Called before every tick."""
        if not self.pending:
            return ()
        with self._lock:
            changes, self.pending = self.pending, []
            following, self._next = self._next, {}
        for name, each in following.items():
            # Streams that agree run together again.
            same = all(params == each[0] for params in each)
            self.engine.by_name[name].params = each[0] if same else each
        self.log.extend((tick, change) for change in changes)
        return changes

    def take(self, change: Change) -> None:
        """As :meth:`set`; what this engine does not have is left out."""
        with suppress(StateError):
            self.set(change.param, change.value, change.stream)

    def rebind(self, engine: Engine) -> None:
        """Goes on with another engine; changes that are pending go with it."""
        with self._lock:
            self.engine = engine
            waiting, self.pending, self._next = self.pending, [], {}
        for change in waiting:
            self.take(change)

    def drop(self) -> None:
        """Forgets what is pending."""
        with self._lock:
            self.pending, self._next = [], {}

    def check_stream(self, stream: int | None) -> None:
        """Raises StateError if there is no such stream."""
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
    fix = f"--set nodes.{step.name}.params.{field}=... and a new session"
    return Problem("not-live", text, notes=notes, fix=fix)


def _first(params: Any) -> NodeParams:
    return params[0] if isinstance(params, list) else params


def _changed(params: NodeParams, field: str, value: Any, name: str) -> NodeParams:
    """A model with one field changed; the whole model is validated, and the step there."""
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
