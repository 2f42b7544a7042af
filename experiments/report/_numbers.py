"""Numbers as the page writes them."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
"""Where there is no number."""


def number(value: float | None, digits: int, *, signed: bool = False) -> str:
    """A number with fixed digits and a true minus sign; a dash for None.

    What rounds to zero has no sign.
    """
    if value is None:
        return NONE
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if not text.strip("+-0."):
        return text.lstrip("+-")
    return text.replace("-", MINUS)


def interval(low: float | None, high: float | None, digits: int, *, signed: bool = False) -> str:
    """``[low, high]``; empty if there is none."""
    if low is None or high is None:
        return ""
    return f"[{number(low, digits, signed=signed)}, {number(high, digits, signed=signed)}]"


def p_value(value: float) -> str:
    """``p = .012`` or ``p < .001``."""
    if value < 0.001:
        return "p < .001"
    return f"p = {value:.3f}".replace("0.", ".", 1)


def with_unit(text: str, unit: str) -> str:
    """``0.81``, ``31 ms``, ``2.1 %``."""
    return f"{text} {unit}" if unit else text


def plural(count: int, noun: str) -> str:
    """``1 clip``, ``3 clips``, ``2 queries``."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("y") else f"{count:,} {noun}s"
