"""Routes that receive files: their description, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_FILE = {"type": "string", "format": "binary"}


def form_body(
    files: str, many: bool = False, settings: type[BaseModel] | None = None
) -> dict[str, Any]:
    """The body of a route as ``openapi_extra``: a form with files.

    Args:
        files: name of the part with the file, or the files.
        many: whether it may come repeatedly.
        settings: what the part ``settings`` holds as JSON; None: there is none.
    """
    part: dict[str, Any] = {"type": "array", "minItems": 1, "items": _FILE} if many else _FILE
    properties: dict[str, Any] = {files: part}
    content: dict[str, Any] = {}
    if settings is not None:
        properties["settings"] = settings.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        content["encoding"] = {"settings": {"contentType": "application/json"}}
    content["schema"] = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": content}}}
