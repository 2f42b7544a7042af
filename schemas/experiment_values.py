"""Names and texts of experiment files, and the base of their models."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from voicegraph.schemas.pipeline import IDENTIFIER

LEVEL = r"[A-Za-z0-9+_.-]([A-Za-z0-9 +_.()%-]{0,78}[A-Za-z0-9+_.)%-])?"
"""Names of levels: they appear in names of cells, in patterns such as ``noise=pink*``."""


def level_name(value: Any) -> str:
    """The name of a level that is given as a value, as YAML writes it: ``0.3``, ``true``."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _level_text(value: Any) -> Any:
    """A level that is referred to by a number, such as ``baseline: 0``."""
    return value if isinstance(value, (str, dict, list)) else level_name(value)


def _level(name: str) -> str:
    if not re.fullmatch(LEVEL, name, re.ASCII):
        allowed = "letters, digits, spaces and + - _ . ( ) %, at most 80"
        raise ValueError(f"{name!r:.90} cannot be the name of a level: it takes {allowed}")
    return name


def _strings(value: Any) -> Any:
    """One text as a list of one."""
    return [value] if isinstance(value, str) else value


def distinct(values: list[Any]) -> list[Any]:
    """A list in which nothing occurs twice, as names of levels.

    Raises:
        ValueError: if something does.
    """
    names = [level_name(value) for value in values]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise ValueError(f"{double[0]} occurs twice")
    return values


FactorName = Annotated[str, Field(pattern=f"^{IDENTIFIER}$", examples=["tracker"])]
"""Name of a factor; a column of the results."""

LevelName = Annotated[str, AfterValidator(_level), Field(examples=["dio"])]
"""Name of a level of a factor."""

LevelRef = Annotated[
    str,
    BeforeValidator(_level_text),
    Field(examples=["dio"]),
    WithJsonSchema({"type": ["string", "number", "boolean", "null"]}),
]
"""Name of a level where it is referred to; numbers count as their text."""

MetricName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[A-Za-z0-9_]+)*$", examples=["words.wer"])
]
"""Name of a metric: ``family`` or ``family.name``."""

DottedPath = Annotated[
    str,
    Field(pattern=r"^[^\s=.]+(\.[^\s=.]+)*$", examples=["vars.retrieve", "nodes.f0.use"]),
]
"""A value of a pipeline, as after ``--set``."""

Overrides = dict[DottedPath, Annotated[Any, Field(examples=[0.5])]]
"""Dotted path -> value, as after ``--set``."""

Text = Annotated[str, Field(min_length=1, examples=["text"])]

Texts = Annotated[
    list[Text],
    BeforeValidator(_strings),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]
"""One text, or several."""


class FileModel(BaseModel):
    """Base of the models of experiment files: strict, frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", validate_default=True)
