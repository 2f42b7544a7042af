"""Limits of the control interfaces, as typed: ``--control-limit connections=64``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from voicegraph.graph.errors import Problem, VoicegraphError
from voicegraph.graph.loading.error_wording import expected_of
from voicegraph.schemas.control import ControlLimits

OPTION = "--control-limit"


def parse_limits(texts: Iterable[str]) -> ControlLimits:
    """The default limits with those that are given as ``NAME=NUMBER``; the last of a name counts.

    Raises:
        VoicegraphError: if a name is unknown or a number does not fit; lists all mistakes.
    """
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if name not in ControlLimits.model_fields:
            problems.append(_unknown(name, value))
        elif not equals:
            expected = f"{OPTION}: expected NAME=NUMBER, found {text!r}"
            default = ControlLimits.model_fields[name].default
            problems.append(Problem("wrong-limit", expected, fix=f"{OPTION} {name}={default}"))
        else:
            values[name] = value
    try:
        found = ControlLimits.model_validate(values)
    except ValidationError as error:
        problems += map(_problem, error.errors())
        found = None
    if problems or found is None:
        raise VoicegraphError(problems)
    return found


def _unknown(name: str, value: str) -> Problem:
    names = list(ControlLimits.model_fields)
    text = f"{OPTION}: there is no limit {name!r}; the limits are: {', '.join(names)}"
    close = difflib.get_close_matches(name, names, 1, 0.4)
    if not close:
        return Problem("no-such-limit", text)
    number = value or ControlLimits.model_fields[close[0]].default
    return Problem("no-such-limit", text, fix=f"{OPTION} {close[0]}={number}")


def _problem(record: Any) -> Problem:
    name = record["loc"][0]
    text = f"{OPTION}: {name}: expected {expected_of(record)}, found {record['input']!r}"
    default = ControlLimits.model_fields[name].default
    return Problem("wrong-limit", text, fix=f"{OPTION} {name}={default}")
