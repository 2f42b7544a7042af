"""Live params, one row each: a slider where there is a range, arrows where there are choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voicegraph.schemas.live_status import LiveParam

from ._param_steps import shown
from ._text_lines import Line

_NAME = 24
_VALUE = 13


def param_rows(
    params: list[LiveParam], wanted: Mapping[str, Any], width: int
) -> list[tuple[str, Line]]:
    """Name and row of every param; ``wanted`` holds what was asked for and not yet answered."""
    longest = min(max((len(param.name) for param in params), default=0), _NAME)
    return [(p.name, _row(p, wanted.get(p.name, p.value), longest, width)) for p in params]


def _row(param: LiveParam, value: Any, longest: int, width: int) -> Line:
    name = f" {param.name[:_NAME]:<{longest}} "
    text = shown(param, value)
    text = f"◂ {text} ▸" if param.choices else text
    room = max(width - len(name) - max(_VALUE, len(text)) - 2, 0)
    return [(name, ""), *_slider(param, value, room), (f" {text:>{_VALUE}} ", "bold")]


def _slider(param: LiveParam, value: Any, width: int) -> Line:
    low, high = param.minimum, param.maximum
    if low is None or high is None or high <= low or width < 3 or not _number(value):
        return [(" " * width, "")]
    place = round(min(max((value - low) / (high - low), 0), 1) * (width - 1))
    return [("━" * place, "knob"), ("●", "bold text"), ("─" * (width - 1 - place), "knob-far")]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
