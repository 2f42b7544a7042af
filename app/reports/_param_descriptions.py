"""Descriptions of params: type, unit, range, default; for lists, help and editors."""

from __future__ import annotations

import types
import typing
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import annotated_types
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from voicegraph.graph.loading.model_fields import in_units
from voicegraph.graph.node_params import NodeParams
from voicegraph.schemas.quantities import format_duration, parse_duration, parse_rate
from voicegraph.schemas.report import ParamInfo

_WORDS = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Fraction: "fraction",
    Path: "file",
    dict: "mapping",
    type(None): "null",
}
_QUANTITIES = {parse_duration: "duration", parse_rate: "rate in Hz"}


def describe_params(model: type[NodeParams]) -> list[ParamInfo]:
    """The params of a node, in the order of declaration."""
    schema = model.model_json_schema()["properties"] if model.model_fields else {}
    live, files = model.live_fields(), model.file_fields()
    return [
        ParamInfo(
            name=name,
            type=words(field.annotation, field.metadata),
            unit=_unit(schema[name]),
            range=_range(model, name, field),
            default=default(field),
            required=field.is_required(),
            live=name in live,
            file=name in files,
            doc=(field.description or "").replace("\n", " "),
        )
        for name, field in model.model_fields.items()
    ]


def default(field: FieldInfo) -> Any:
    """The default in the form of a file; None if there is none."""
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True, validated_data={})
    adapter = TypeAdapter(field.rebuild_annotation())
    return adapter.dump_python(adapter.validate_python(value), mode="json")


def words(annotation: Any, metadata: typing.Iterable[Any] = ()) -> str:
    """The name of a type in words."""
    for entry in metadata:
        for parse, name in _QUANTITIES.items():
            if getattr(entry, "func", None) is parse:
                return name
    inner = getattr(annotation, "__metadata__", None)
    if inner is not None:
        return words(annotation.__origin__, inner)
    origin, members = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return "one of: " + ", ".join(str(member) for member in members)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(words(member) for member in members)
    if origin in (list, tuple):
        return f"list of {words(members[0])}" if members else "list"
    if origin is dict and members:
        return f"mapping of {words(members[0])} to {words(members[1])}"
    own = getattr(annotation, "__name__", str(annotation)).lower()
    return _WORDS.get(origin or annotation, own)


def _unit(schema: dict[str, Any]) -> str | None:
    values = schema.get("additionalProperties")
    members = [schema, *schema.get("anyOf", []), *([values] if isinstance(values, dict) else [])]
    return next((member["unit"] for member in members if "unit" in member), None)


def _range(model: type[NodeParams], name: str, field: FieldInfo) -> str | None:
    bounds: dict[type, str] = {}
    for entry in _flat(field):
        for kind, key in _BOUNDS.items():
            if isinstance(entry, kind):
                bounds[kind] = _bound(model, name, getattr(entry, key))
    low = bounds.get(annotated_types.Ge)
    high = bounds.get(annotated_types.Le)
    if low is not None and high is not None:
        return f"{low} .. {high}"
    found = [f"{_PHRASES[kind]} {value}" for kind, value in bounds.items()]
    return ", ".join(found) or None


_BOUNDS = {
    annotated_types.Gt: "gt",
    annotated_types.Ge: "ge",
    annotated_types.Lt: "lt",
    annotated_types.Le: "le",
}
_PHRASES = {
    annotated_types.Gt: "more than",
    annotated_types.Ge: "at least",
    annotated_types.Lt: "less than",
    annotated_types.Le: "at most",
}


def _bound(model: type[NodeParams], name: str, value: Any) -> str:
    """``le=60`` on a duration is a minute, not the number 60."""
    field = model.model_fields[name]
    exact = words(field.annotation, field.metadata).startswith("duration")
    return format_duration(Fraction(value)) if exact else in_units(model, (name,), value)


def _flat(field: FieldInfo) -> list[Any]:
    """The field's own constraints, and those inside ``Hertz | None``."""
    found = list(field.metadata)
    for member in typing.get_args(field.annotation):
        for entry in getattr(member, "__metadata__", ()):
            found += entry.metadata if isinstance(entry, FieldInfo) else [entry]
    return found
