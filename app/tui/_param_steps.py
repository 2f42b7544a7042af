"""Values of live params: the step size of a key, the text shown, and typed text parsed."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import Any

from voicegraph.graph.errors import Mark, Problem, StateError
from voicegraph.graph.loading.document import parse_value
from voicegraph.schemas.live_status import LiveParam

COARSE_STEPS = 10
"""Steps of a key with Shift."""
_STEP_OF_UNIT = {"dB": 1.0, "semitones": 1.0, "ms": 1.0, "cents": 5.0}
"""Units with a customary step size, whatever the range."""
_STEPS = 40
"""Approximate number of steps across a range."""
_SHORT_UNIT = {"semitones": "st"}


def step_size(param: LiveParam, value: float) -> float:
    """How much one key press changes a number, in the param's unit."""
    low, high = param.minimum, param.maximum
    if param.unit in _STEP_OF_UNIT:
        size = _STEP_OF_UNIT[param.unit]
    elif param.unit == "Hz":
        size = _round_down(abs(value) / 20) if value else 1.0
    elif low is not None and high is not None and high > low:
        size = _round_down((high - low) / _STEPS)
    else:
        size = _round_down(abs(value) / 20) if value else 0.05
    return max(1.0, round(size)) if isinstance(value, int) else size


def stepped(param: LiveParam, value: Any, steps: int) -> Any:
    """The value a number of steps away: a multiple of the step size within the range.

    Choices wrap around: after the last comes the first.

    Args:
        param: range, choices and unit.
        value: the value to start from.
        steps: below 0 for smaller values.

    Raises:
        StateError: if the value is neither a finite number nor a choice.
    """
    if param.choices:
        names = param.choices
        at = names.index(_name(value)) if _name(value) in names else -1 if steps > 0 else 0
        direction = 1 if steps > 0 else -1
        return _choice(names[(at + direction) % len(names)], value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        text = f"the arrow keys cannot change {param.name}, its value is {_name(value)}"
        raise StateError(Problem("cannot-move", text, fix="press Enter, and type a value"))
    size = step_size(param, value)
    # Multiples of the step size: a value between two of them goes to the next one, and a param
    # whose range includes 0 reaches exactly 0.
    count = round(value / size + steps, 9)
    count = floor(count) if steps > 0 else -floor(-count)
    changed = _clamped(param, round(count * size, 9))
    return int(changed) if isinstance(value, int) else changed


def format_value(param: LiveParam, value: Any) -> str:
    """The value with its unit, in few columns."""
    if isinstance(value, float):
        text = f"{value:.4g}" if isfinite(value) else str(value)
    else:
        text = _name(value)
    unit = _SHORT_UNIT.get(param.unit or "", param.unit)
    return f"{text} {unit}" if unit else text


def describe_param(param: LiveParam) -> str:
    """Name, description and range in one line."""
    inside = " ".join(filter(None, [_range(param), param.unit]))
    texts = [f"{param.name}:", param.description, f"({inside})" if inside else ""]
    return " ".join(filter(None, texts))


def parse_typed(param: LiveParam, text: str) -> Any:
    """Reads typed text as a pipeline file would.

    Raises:
        PipelineError: if the text is not a plain value.
    """
    value = parse_value(text, Mark(param.name))
    # A choice that is text stays text, even where YAML would read a number or a boolean.
    return text.strip() if isinstance(param.value, str) and param.choices else value


def _round_down(size: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above ``size``."""
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


def _clamped(param: LiveParam, value: float) -> float:
    if param.minimum is not None:
        value = max(value, param.minimum)
    return value if param.maximum is None else min(value, param.maximum)


def _name(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _choice(name: str, value: Any) -> Any:
    """A choice with the type of the value it replaces."""
    return name if isinstance(value, str) else parse_value(name, Mark("choice"))
