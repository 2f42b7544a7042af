"""Quantities with units as in pipeline files: ``250ms``, ``-60`` dB, ``48000`` Hz.

Times are exact fractions of a second. Floating point cannot represent 10 ms exactly, and rounding
errors would add up: a block of 10 ms at 44100 Hz must be exactly 441 samples, or an error.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, PlainSerializer, WithJsonSchema
from pydantic_core import CoreSchema

_UNITS = {
    "us": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "min": Fraction(60),
}
_HIGHEST_RATE = 10_000_000
"""In Hz; sound cards end at 768 kHz."""
_DURATION_PATTERN = r"^-?[0-9]{1,30}(\.[0-9]{1,12})? ?(us|ms|s|min)$"
_RATE_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,6}|/[0-9]{1,7})?$"
_MEMORY_PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,3})? ?(k|M|G|T)i?B$"
_RATE = re.compile(_RATE_PATTERN[1:-1], re.ASCII)
_MEMORY = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([kMGT])(i?)B", re.ASCII)
_DURATION = re.compile(r"(-?[0-9]{1,30}(?:\.[0-9]{1,12})?) ?(us|ms|s|min)", re.ASCII)


def parse_duration(value: Any) -> Fraction:
    """Seconds, exactly, from ``"250ms"``, ``"2.5s"``, a ``Fraction`` of a second, or 0.

    Raises:
        ValueError: if the unit is missing or the text is not a duration.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return Fraction(match[1]) * _UNITS[match[2]]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value == 0:
            return Fraction(0)
        if not 1e-3 <= abs(value) < 1e6:
            raise ValueError(f"a duration needs a unit, such as 250ms or 2.5s, found {value!r:.60}")
        raise ValueError(f"a duration needs a unit: write {value:g}ms or {value:g}s")
    raise ValueError(f"expected a duration such as 250ms or 2.5s, found {value!r:.60}")


def format_duration(seconds: Fraction) -> str:
    """The shortest exact text in s, ms or us; other fractions are rounded to 1 us."""
    if seconds == 0:
        return "0s"
    for unit in ("s", "ms", "us"):
        amount = seconds / _UNITS[unit]
        if amount.denominator == 1:
            return f"{amount.numerator}{unit}"
        if abs(amount) >= 1 and (amount * 1000).denominator == 1:
            return f"{_decimal(amount, 3)}{unit}"
    micros = seconds / _UNITS["us"]
    for places in range(1, 13):
        if (micros * 10**places).denominator == 1:
            return f"{_decimal(micros, places)}us"
    return f"{float(seconds * 1000):.3f}ms"


def _decimal(amount: Fraction, places: int) -> str:
    """All digits of an amount with at most ``places`` decimals; ``:g`` would keep only six."""
    whole, part = divmod(abs(amount.numerator) * 10**places // amount.denominator, 10**places)
    digits = f"{whole}.{part:0{places}d}".rstrip("0").rstrip(".")
    return f"-{digits}" if amount < 0 else digits


def parse_milliseconds(value: Any) -> Any:
    """Milliseconds from a duration with a unit, such as ``"30ms"``; other values as they are.

    Raises:
        ValueError: if a text is neither a duration nor a number.
    """
    if not isinstance(value, str):
        return value
    try:
        return float(parse_duration(value) * 1000)
    except ValueError:
        if re.fullmatch(r"[0-9]{1,30}(\.[0-9]{1,12})?", value.strip(), re.ASCII):
            return float(value)
        raise ValueError(f"expected a time in ms such as 30 or 30ms, found {value!r:.60}") from None


def parse_rate(value: Any) -> Fraction:
    """A rate in Hz as an exact fraction, from a number, a fraction, or text such as ``"16000/3"``.

    Raises:
        ValueError: if the rate is not a number, not above zero, or not exact.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Fraction)):
        raise ValueError(f"expected a rate in Hz such as 48000, found {value!r:.60}")
    if isinstance(value, str) and not _RATE.fullmatch(value.strip()):
        # Fraction would also take 1e999999999, and compute for ever.
        raise ValueError(f"expected a rate in Hz such as 48000, found {value!r:.60}")
    try:
        rate = Fraction(value)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"expected a rate in Hz such as 48000, found {value!r:.60}") from None
    if rate <= 0:
        raise ValueError(f"a rate must be above 0 Hz, found {value}")
    if rate > _HIGHEST_RATE:
        raise ValueError(f"a rate is at most {_HIGHEST_RATE} Hz, found {value!r:.60}")
    if rate.denominator > 1_000_000:
        raise ValueError(f"a rate must be exact: write a fraction instead of {value!r:.60}")
    return rate


def format_rate(rate: Fraction) -> str:
    """``48000 Hz``; fractions stay exact, ``16000/3 Hz``."""
    return f"{rate} Hz"


def parse_memory(value: Any) -> int:
    """Bytes of ``2GB``, ``500 MB`` or ``1.5GiB``.

    Raises:
        ValueError: if it is no such text.
    """
    if isinstance(value, str) and (match := _MEMORY.fullmatch(value.strip())):
        base = 1024 if match[3] else 1000
        return int(Fraction(match[1]) * base ** (" kMGT".index(match[2])))
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1 << 20:
        return value
    raise ValueError(f"expected a size such as 2GB or 500MB, found {value!r:.60}")


def format_memory(size: int) -> str:
    """The shortest exact text: ``2GB``; bytes that are no multiple of 1000 stay a number."""
    for power, unit in ((4, "T"), (3, "G"), (2, "M"), (1, "k")):
        if size % 1000**power == 0:
            return f"{size // 1000**power}{unit}B"
    return f"{Fraction(size, 1024):.3f}kiB" if size % 1024 else f"{size // 1024}kiB"


Duration = Annotated[
    Fraction,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": _DURATION_PATTERN}, {"const": 0}],
            "examples": ["250ms", "2.5s"],
        }
    ),
]
"""A duration in exact seconds. In files: a number and a unit, ``us``, ``ms``, ``s``, ``min``."""

Rate = Annotated[
    Fraction,
    BeforeValidator(parse_rate),
    PlainSerializer(lambda rate: int(rate) if rate.denominator == 1 else str(rate)),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": _HIGHEST_RATE},
                {"type": "string", "pattern": _RATE_PATTERN},
            ],
            "examples": [16000, 44100, 48000],
        }
    ),
]
"""Samples or frames per second, an exact fraction in Hz."""

Decibels = Annotated[float, Field(allow_inf_nan=False, json_schema_extra={"unit": "dB"})]
"""A level or gain in dB."""


class _NumberOrDuration:
    """The JSON Schema of a number that may also be written as a duration with a unit."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "anyOf": [handler(core), {"type": "string", "pattern": _DURATION_PATTERN}],
            "examples": [30, "30ms"],
        }


Milliseconds = Annotated[
    float,
    Field(allow_inf_nan=False, json_schema_extra={"unit": "ms"}),
    BeforeValidator(parse_milliseconds),
    _NumberOrDuration,
]
"""A time in milliseconds that may change while a node runs, so that it needs no exact fraction: a
number, for sliders and controllers, or in files a duration such as ``30ms``."""

Hertz = Annotated[float, Field(allow_inf_nan=False, json_schema_extra={"unit": "Hz"})]
"""A frequency in Hz."""

Semitones = Annotated[float, Field(allow_inf_nan=False, json_schema_extra={"unit": "semitones"})]
"""A pitch or formant interval in equal-tempered semitones; 12 is an octave up."""

Memory = Annotated[
    int,
    BeforeValidator(parse_memory),
    PlainSerializer(format_memory, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _MEMORY_PATTERN, "examples": ["2GB"]}),
]
"""A size in bytes. In files: a number and a unit, ``MB``, ``GB``, ``GiB``."""
