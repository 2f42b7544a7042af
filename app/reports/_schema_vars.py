"""JSON Schemas of values that a var can give, too: ``$name`` or ``${name}``."""

from __future__ import annotations

from typing import Any

from voicegraph.schemas.pipeline import IDENTIFIER

Schema = dict[str, Any]
NAME_PATTERN = f"^{IDENTIFIER}$"
VAR: Schema = {"$ref": "#/$defs/var"}
VAR_DEFINITION: Schema = {"type": "string", "pattern": r"^\$"}
"""No description, since editors would show it beside that of the value."""
_ABOUT = ("description", "default", "examples")
"""Keys that describe a value without restricting it."""
_MAPS = ("properties", "patternProperties")


def plain(text: str) -> str:
    """Docstrings mark code with two backticks, editors with one; line breaks have no meaning."""
    return " ".join(text.replace("``", "`").split())


def tidy(schema: Schema) -> Schema:
    """Removes generated titles and our own keywords; refuses keys that match no pattern."""
    found = {k: _tidy_part(k, value) for k, value in schema.items() if k not in ("title", "unit")}
    if "patternProperties" in found:
        found.pop("propertyNames", None)
        found.setdefault("additionalProperties", False)
    return found


def _tidy_part(key: str, value: Any) -> Any:
    if key in (*_MAPS, "$defs"):
        return {name: tidy(part) for name, part in value.items()}
    if key in ("default", "examples", "const", "enum"):
        return value
    if key == "description":
        return plain(value)
    if isinstance(value, dict):
        return tidy(value)
    if isinstance(value, list):
        return [tidy(part) if isinstance(part, dict) else part for part in value]
    return value


def with_vars(schema: Schema) -> Schema:
    """The schema, with a var allowed for every value and for parts of values."""
    if "$ref" in schema or not schema:
        return schema
    if members := schema.get("anyOf") or schema.get("oneOf"):
        return {**_about(schema), "anyOf": _once([*map(_inside, members), VAR])}
    if _has_parts(schema):
        return _inside(schema)
    if _takes_any_text(schema):
        return schema
    return {**_about(schema), "anyOf": [_rest(schema), VAR]}


def _inside(schema: Schema) -> Schema:
    """Allows vars in the parts of a value, but not instead of it."""
    found = dict(schema)
    for key in _MAPS:
        if key in found:
            found[key] = {name: with_vars(part) for name, part in found[key].items()}
    for key in ("additionalProperties", "items"):
        if isinstance(found.get(key), dict):
            found[key] = with_vars(found[key])
    return found


def _once(members: list[Schema]) -> list[Schema]:
    """Without the var if any text is allowed."""
    return members[:-1] if any(_takes_any_text(member) for member in members[:-1]) else members


def _has_parts(schema: Schema) -> bool:
    return schema.get("type") in ("object", "array")


def _takes_any_text(schema: Schema) -> bool:
    limits = {"pattern", "enum", "const", "format"} & schema.keys()
    return schema.get("type") == "string" and not limits


def _about(schema: Schema) -> Schema:
    return {key: schema[key] for key in _ABOUT if key in schema}


def _rest(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in _ABOUT}
