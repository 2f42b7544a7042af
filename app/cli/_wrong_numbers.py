"""Says which numbers an option takes. Typer passes on the sentence of a library."""

from __future__ import annotations

from typing import Any

import typer

_NOUNS = {"int": "a whole number", "float": "a number"}
_OUTSIDE = ("greater_than_equal", "less_than_equal")


def wrong_number(error: Any) -> Exception | None:
    """A better error for a number that an option or an argument does not take.

    Args:
        error: typer's own.

    Returns:
        None if ``error`` is about something else.
    """
    param, cause = getattr(error, "param", None), error.__cause__
    if param is None or type(cause).__name__ != "ValidationError":
        return None
    found = cause.errors(include_url=False)[0]
    kind = found["type"].partition("_")[0]
    if found["type"] in _OUTSIDE:
        limit = next(iter(found["ctx"].values()))
        kind = type(limit).__name__
    if kind not in _NOUNS:
        return None
    text = f"{str(found['input'])!r} is not {_NOUNS[kind]}{_range(param)}"
    return typer.BadParameter(text, ctx=error.ctx, param=param)


def _range(param: Any) -> str:
    least, most = getattr(param, "min", None), getattr(param, "max", None)
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" of at least {least}"
    return "" if most is None else f" of at most {most}"
