"""The params of a session that may change while it runs, with what a slider has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voicegraph.schemas.live_status import LiveParam

if TYPE_CHECKING:
    from ..running.session import Session


def live_params(session: Session) -> list[LiveParam]:
    """All of them, in the order of the pipeline, with their values now."""
    found = []
    for planned in session.plan.nodes:
        model = type(planned.params)
        live = model.live_fields()
        properties = model.model_json_schema()["properties"] if live else {}
        for field in (name for name in model.model_fields if name in live):
            name = f"{planned.name}.{field}"
            found.append(_describe(name, session.get(name), properties[field]))
    return found


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
