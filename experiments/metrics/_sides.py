"""What several families share: params that are lists, and what is compared with the source."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from ..metric import Heard, NotMeasured
from ..task import Arrays

T = TypeVar("T")


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class _OneWordIsFine:
    """Tells editors what ``_listed`` takes."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        listed = handler(core)
        return {"anyOf": [listed["items"], listed]}


OneOrMore = Annotated[
    tuple[T, ...], Field(min_length=1), BeforeValidator(_listed), _OneWordIsFine()
]
"""One word, or a list of them."""


def made_and_source(heard: Heard, by: str) -> tuple[Arrays, Arrays]:
    """What an observer says about the output and about the clean clip.

    Raises:
        NotMeasured: if there is no source, as for the target's own speech.
    """
    if not heard.source:
        raise NotMeasured("there is no source to compare with")
    return heard.made[by], heard.source[by]
