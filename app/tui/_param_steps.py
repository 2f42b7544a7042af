"""Values of live params: how far a key moves them, how they are shown, how they are typed."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import Any

from voicegraph.graph.errors import Mark, Problem, StateError
from voicegraph.graph.loading.document import parse_value
from voicegraph.schemas.live_status import LiveParam

COARSE = 10
"""Steps of a key with Shift."""
_OF_UNIT = {"dB": 1.0, "semitones": 1.0, "ms": 1.0, "cents": 5.0}
"""What people count in, whatever the range is."""
_STEPS = 40
"""Steps across a range, about."""
_SHORT_UNIT = {"semitones": "st"}


def step(param: LiveParam, value: float) -> float:
    """How far one key moves a number."""
    low, high = param.minimum, param.maximum
    if param.unit in _OF_UNIT:
        size = _OF_UNIT[param.unit]
    elif param.unit == "Hz":
        size = _round(abs(value) / 20) if value else 1.0
    elif low is not None and high is not None and high > low:
        size = _round((high - low) / _STEPS)
    else:
        size = _round(abs(value) / 20) if value else 0.05
    return max(1.0, round(size)) if isinstance(value, int) else size


def moved(param: LiveParam, value: Any, steps: int) -> Any:
    """The value that many steps on, within the range, on whole steps; choices go round.

    Raises:
        StateError: if it is not a value that can be moved.
    """
    if param.choices:
        names = param.choices
        at = names.index(_name(value)) if _name(value) in names else -1 if steps > 0 else 0
        direction = 1 if steps > 0 else -1
        return _chosen(names[(at + direction) % len(names)], value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        text = f"{param.name} is {_name(value)}, which no key moves"
        raise StateError(Problem("cannot-move", text, fix="Enter, and type a value"))
    size = step(param, value)
    # Whole steps, so that an odd value is left at once and 0 is met on the way.
    count = round(value / size + steps, 9)
    count = floor(count) if steps > 0 else -floor(-count)
    changed = _bounded(param, round(count * size, 9))
    return int(changed) if isinstance(value, int) else changed


def shown(param: LiveParam, value: Any) -> str:
    """The value with its unit, in few columns."""
    if isinstance(value, float):
        text = f"{value:.4g}" if isfinite(value) else str(value)
    else:
        text = _name(value)
    unit = _SHORT_UNIT.get(param.unit or "", param.unit)
    return f"{text} {unit}" if unit else text


def about(param: LiveParam) -> str:
    """What it does and within which range, in a line."""
    inside = " ".join(filter(None, [_range(param), param.unit]))
    texts = [f"{param.name}:", param.description, f"({inside})" if inside else ""]
    return " ".join(filter(None, texts))


def typed(param: LiveParam, text: str) -> Any:
    """The value of a text, as a pipeline file would hold it.

    Raises:
        PipelineError: if it is no plain value.
    """
    value = parse_value(text, Mark(param.name))
    # A name among choices is that name, even where YAML would read a number or a truth value.
    return text.strip() if isinstance(param.value, str) and param.choices else value


def _round(size: float) -> float:
    """The nearest of 1, 2 and 5 times a power of ten that is not above."""
    if size <= 0 or not isfinite(size):
        return 1.0
    power = 10.0 ** floor(log10(size))
    return next(power * part for part in (5, 2, 1) if size >= part * power * 0.999999)


def _range(param: LiveParam) -> str:
    low, high = param.minimum, param.maximum
    if param.choices:
        return " | ".join(param.choices)
    if low is not None and high is not None:
        return f"{low:g} .. {high:g}"
    if low is not None:
        return f"{low:g} or more"
    return "" if high is None else f"{high:g} or less"


def _bounded(param: LiveParam, value: float) -> float:
    if param.minimum is not None:
        value = max(value, param.minimum)
    return value if param.maximum is None else min(value, param.maximum)


def _name(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _chosen(name: str, value: Any) -> Any:
    """A choice as the value that it stands for; only what is text now is text then."""
    return name if isinstance(value, str) else parse_value(name, Mark("choice"))
