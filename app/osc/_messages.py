"""What OSC messages mean."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from voicegraph.graph.errors import Problem
from voicegraph.schemas.live_command import (
    Bypass,
    ChooseVariant,
    LiveCommand,
    Monitor,
    Mute,
    SetParam,
    Stop,
    Talk,
)

from ..control.error_responses import InvalidError
from ..control.service import Desk, Switch

ROOT = "/voicegraph"
_SWITCHES: dict[Switch, type[Mute | Talk | Monitor]] = {
    "mute": Mute,
    "talk": Talk,
    "monitor": Monitor,
}
FORMS = {
    "set": "node.param value",
    "param": "/<node>/<param> value",
    **dict.fromkeys(_SWITCHES, "0|1, or nothing to turn it over"),
    "bypass": "node 0|1, or node alone to turn it over",
    "variant": "a|b|other",
    "stop": "1, or nothing",
}
"""What follows each word."""


def read_message(address: str, values: Sequence[Any], desk: Desk) -> LiveCommand | None:
    """The command that a message means; None for a button that is let go.

    Args:
        address: such as ``/voicegraph/mute``.
        values: as OSC carried them.
        desk: asked for what is on, where it is to be turned over.

    Raises:
        InvalidError: if it means nothing.
    """
    root, *words = address.removeprefix("/").split("/")
    if f"/{root}" != ROOT or not words or words[0] not in FORMS:
        known = [f"{ROOT}/{word}" for word in FORMS]
        close = difflib.get_close_matches(address, known, 1, 0.6)
        text = f"there is no OSC address {address[:80]}"
        raise InvalidError(Problem("no-such-address", text, fix=close[0] if close else None))
    try:
        return _read(words, list(values), desk)
    except ValueError:
        found = " ".join(repr(value)[:40] for value in values[:4]) or "nothing"
        text = f"{address[:80]}: expected {FORMS[words[0]]}, found {found}"
        raise InvalidError(Problem("bad-message", text)) from None


def _read(words: list[str], values: list[Any], desk: Desk) -> LiveCommand | None:
    match words, values:
        case ["set"], [str(name), value]:
            return SetParam(param=name, value=_plain(value))
        case ["param", node, name], [value]:
            return SetParam(param=f"{node}.{name}", value=_plain(value))
        case ["mute" | "talk" | "monitor" as switch], []:
            return desk.turned_over(switch)
        case ["mute" | "talk" | "monitor" as switch], [value]:
            return _SWITCHES[switch](on=_on(value))
        case ["bypass"], [str(node)]:
            return desk.bypass_turned_over(node)
        case ["bypass"], [str(node), value]:
            return Bypass(node=node, on=_on(value))
        case ["variant"], ["a" | "b" | "other" as name]:
            return ChooseVariant(name=name)
        case ["variant"], values:
            return ChooseVariant(name="other") if _pressed(values) else None
        case ["stop"], values:
            return Stop() if _pressed(values) else None
    raise ValueError(words)


def _pressed(values: list[Any]) -> bool:
    """Buttons send 1 when they are pressed and 0 when they are let go, or just a message."""
    match values:
        case []:
            return True
        case [value]:
            return _on(value)
    raise ValueError(values)


def _on(value: Any) -> bool:
    """Of 0 and 1, as any of OSC's types."""
    if not isinstance(value, (bool, int, float)) or value not in (0, 1):
        raise ValueError(value)
    return bool(value)


def _plain(value: Any) -> bool | int | float | str:
    """No blobs, colours or lists."""
    match value:
        case bool() | int() | float() | str():
            return value
    raise ValueError(value)
