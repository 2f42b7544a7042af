"""OSC messages parsed into commands."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from pythonosc.osc_message import OscMessage

from voicegraph.graph.errors import Problem
from voicegraph.schemas.live_command import (
    Bypass,
    ChooseProfile,
    ChooseVariant,
    ChooseVoice,
    LiveCommand,
    Mark,
    Monitor,
    Mute,
    Record,
    SetParam,
    Stop,
    Talk,
)
from voicegraph.schemas.recorded_events import MOST_MARK_CHARACTERS

from ..control.error_responses import InvalidError
from ..control.service import Service, Switch

ROOT = "/voicegraph"
_SWITCHES: dict[Switch, type[Mute | Talk | Monitor | Record]] = {
    "mute": Mute,
    "talk": Talk,
    "monitor": Monitor,
    "record": Record,
}
ARGUMENTS = {
    "set": "node.param value",
    "param": "/<node>/<param> value",
    **dict.fromkeys(_SWITCHES, "0|1, or nothing to toggle"),
    "bypass": "node 0|1, or node alone to toggle",
    "profile": "name, or nothing for no profile",
    "voice": "name",
    "variant": "a|b|other",
    "mark": "text, or 1, or nothing",
    "stop": "1, or nothing",
}
"""First part of an address -> the expected rest and values, for error messages."""


def parse_message(message: bytes, service: Service) -> LiveCommand | None:
    """The command for a message; None when a button is released.

    Args:
        message: as received.
        service: the session, whose state a toggle needs.

    Raises:
        InvalidError: if it is no OSC message, or its address or its values are unknown.
    """
    try:
        parsed = OscMessage(message)
    except Exception as error:  # the parser raises many kinds of errors on malformed bytes
        text = f"not an OSC message: {error or type(error).__name__}"
        raise InvalidError(Problem("bad-message", text)) from None
    return read_message(parsed.address, parsed.params, service)


def read_message(address: str, values: Sequence[Any], service: Service) -> LiveCommand | None:
    """The command for a message; None when a button is released.

    Args:
        address: such as ``/voicegraph/mute``.
        values: the message's arguments.
        service: the session, whose state a toggle needs.

    Raises:
        InvalidError: if the address or the values are unknown.
    """
    root, *words = address.removeprefix("/").split("/")
    if f"/{root}" != ROOT or not words or words[0] not in ARGUMENTS:
        raise InvalidError(unknown_address(address))
    try:
        return _read(words, list(values), service)
    except ValueError:
        found = " ".join(repr(value)[:40] for value in values[:4]) or "nothing"
        text = f"{address[:80]}: expected {ARGUMENTS[words[0]]}, found {found}"
        raise InvalidError(Problem("bad-message", text)) from None


def unknown_address(address: str) -> Problem:
    """The problem of a message to an address that is not ours."""
    known = [f"{ROOT}/{word}" for word in ARGUMENTS]
    close = difflib.get_close_matches(address[:80], known, 1, 0.6)
    text = f"there is no OSC address {address[:80]}"
    return Problem("no-such-address", text, fix=close[0] if close else None)


def _read(words: list[str], values: list[Any], service: Service) -> LiveCommand | None:
    match words, values:
        case ["set"], [str(name), value]:
            return SetParam(param=name, value=_scalar(value))
        case ["param", node, name], [value]:
            return SetParam(param=f"{node}.{name}", value=_scalar(value))
        case ["mute" | "talk" | "monitor" | "record" as switch], []:
            return service.toggled(switch)
        case ["mute" | "talk" | "monitor" | "record" as switch], [value]:
            return _SWITCHES[switch](on=_on(value))
        case ["bypass"], [str(node)]:
            return service.toggled_bypass(node)
        case ["bypass"], [str(node), value]:
            return Bypass(node=node, on=_on(value))
        case ["profile"], [] | [""]:
            return ChooseProfile(name=None)
        case ["profile"], [str(name)]:
            return ChooseProfile(name=name)
        case ["voice"], [str(name)] if name:
            return ChooseVoice(name=name[:200])
        case ["variant"], ["a" | "b" | "other" as name]:
            return ChooseVariant(name=name)
        case ["variant"], values:
            return ChooseVariant(name="other") if _pressed(values) else None
        case ["mark"], [str(text)]:
            return Mark(text=text[:MOST_MARK_CHARACTERS])
        case ["mark"], values:
            return Mark() if _pressed(values) else None
        case ["stop"], values:
            return Stop() if _pressed(values) else None
    raise ValueError(words)


def _pressed(values: list[Any]) -> bool:
    """A button sends 1 when pressed and 0 when released, or a message without values."""
    match values:
        case []:
            return True
        case [value]:
            return _on(value)
    raise ValueError(values)


def _on(value: Any) -> bool:
    """A boolean from 0 or 1 of any numeric OSC type."""
    if not isinstance(value, (bool, int, float)) or value not in (0, 1):
        raise ValueError(value)
    return bool(value)


def _scalar(value: Any) -> bool | int | float | str:
    """The value, unless it is a blob, a colour or a list."""
    match value:
        case bool() | int() | float() | str():
            return value
    raise ValueError(value)
