"""The params of a session that may change while it runs, with what a slider has to know."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from voicegraph.schemas.live_status import LiveParam

from ..errors import StateError
from ..node import NodeParams

if TYPE_CHECKING:
    from ..runtime.session import Session


def live_params(session: Session) -> list[LiveParam]:
    """All of them, in the order of the pipeline, with their values now."""
    found = []
    for planned in session.plan.nodes:
        for field, schema in _live_schemas(type(planned.params)).items():
            name = f"{planned.name}.{field}"
            try:
                value = session.get(name)
            except StateError:  # exchanged for a node that has none, at this very moment
                continue
            found.append(_describe(name, value, schema))
    return found


@cache
def _live_schemas(model: type[NodeParams]) -> dict[str, dict[str, Any]]:
    """JSON schemas of the live fields: made once, for this is asked ten times a second."""
    live = model.live_fields()
    properties = model.model_json_schema()["properties"] if live else {}
    return {name: properties[name] for name in model.model_fields if name in live}


def _describe(name: str, value: Any, schema: dict[str, Any]) -> LiveParam:
    parts = [schema, *schema.get("anyOf", [])]

    def first(*keys: str) -> Any:
        return next((part[key] for key in keys for part in parts if key in part), None)

    choices = first("enum")
    if first("type") == "boolean":
        choices = ["false", "true"]
    return LiveParam(
        name=name,
        value=value if isinstance(value, (bool, int, float, str, type(None))) else str(value),
        minimum=first("minimum", "exclusiveMinimum"),
        maximum=first("maximum", "exclusiveMaximum"),
        choices=[str(choice) for choice in choices] if choices else None,
        unit=first("unit"),
        description=" ".join(schema.get("description", "").split()),
    )
