"""Fields of pydantic models: type, keys and examples at a path inside a model."""

from __future__ import annotations

import types
import typing
from collections.abc import Collection, Iterator
from fractions import Fraction
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from .source_map import KeyPath
from .values import describe, flow_yaml


def is_model(annotation: Any) -> typing.TypeGuard[type[BaseModel]]:
    """Whether a type is a pydantic model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys of a model as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def type_at(model: type[BaseModel], path: KeyPath) -> Any:
    """The type at a path inside a model; None if it is unknown."""
    for annotation in _annotations(model, path):
        for member in _members(annotation):
            return _bare(member)
    return None


def keys_at(model: type[BaseModel], path: KeyPath, written: Collection[str] = ()) -> list[str]:
    """The keys of the mapping at a path; empty if its keys are free.

    Args:
        model: of the file.
        path: where the mapping is.
        written: keys that it has; where several models are possible, that with most of them counts.
    """
    models = [_bare(m) for annotation in _annotations(model, path) for m in _members(annotation)]
    keys = [keys_of(found) for found in models if is_model(found)]
    return max(keys, key=lambda known: len({*known} & {*written}), default=[])


def examples(model: type[BaseModel], path: KeyPath) -> list[Any]:
    """Valid values at ``path``; empty if the model has no examples."""
    if (field := _field(model, path)) is not None and field.examples:
        return list(field.examples)
    for annotation in _annotations(model, path):
        for member in (annotation, *_members(annotation)):
            for entry in getattr(member, "__metadata__", ()):
                if isinstance(entry, FieldInfo) and entry.examples:
                    return list(entry.examples)
    return []


def example(model: type[BaseModel], path: KeyPath) -> str | None:
    """One valid value at ``path``, in YAML; None if none is known."""
    if found := examples(model, path):
        return flow_yaml(found[0])
    field = _field(model, path)
    if field is not None and not field.is_required() and field.default is not None:
        default = field.get_default(call_default_factory=True, validated_data={})
        adapter = TypeAdapter(field.rebuild_annotation())
        # A default can be written as in a file, such as "10ms": models validate their defaults.
        return flow_yaml(adapter.dump_python(adapter.validate_python(default), mode="json"))
    at = type_at(model, path)
    if not is_model(at):
        return None
    extra = at.model_config.get("json_schema_extra")
    if isinstance(extra, dict) and isinstance(whole := extra.get("examples"), list):
        return flow_yaml(whole[0])
    needed = {key: examples(at, (key,)) for key in keys_of(at) if _required(at, key)}
    if not all(needed.values()):
        return None
    return flow_yaml({key: found[0] for key, found in needed.items()})


def in_units(model: type[BaseModel], path: KeyPath, value: Any) -> str:
    """A value as messages show it: a duration or rate as it is written in a file."""
    field = _field(model, path)
    if isinstance(value, Fraction) and field is not None:
        return str(TypeAdapter(field.rebuild_annotation()).dump_python(value))
    return f"{value:g}" if isinstance(value, float) else describe(value)


def _required(model: type[BaseModel], key: str) -> bool:
    field = _field(model, (key,))
    return field is not None and field.is_required()


def _field(model: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    owners = _annotations(model, path[:-1]) if path else ()
    for owner in (_bare(member) for annotation in owners for member in _members(annotation)):
        for name, found in owner.model_fields.items() if is_model(owner) else ():
            if (found.alias or name) == path[-1]:
                return found
    return None


def _annotations(annotation: Any, path: KeyPath) -> Iterator[Any]:
    """The types at a path; more than one if it leads through a union."""
    if not path:
        yield annotation
        return
    for member in map(_bare, _members(annotation)):
        if is_model(member):
            fields = {f.alias or n: f for n, f in member.model_fields.items()}
            if (field := fields.get(str(path[0]))) is not None:
                yield from _annotations(field.annotation, path[1:])
        elif typing.get_origin(member) in (dict, list, tuple):
            yield from _annotations(typing.get_args(member)[-1], path[1:])


def _members(annotation: Any) -> Iterator[Any]:
    """The members of a union without null; another type itself."""
    bare = _bare(annotation)
    if typing.get_origin(bare) in (typing.Union, types.UnionType):
        for member in typing.get_args(bare):
            yield from _members(member)
    elif bare is not types.NoneType:
        yield annotation


def _bare(annotation: Any) -> Any:
    """A type without its ``Annotated`` metadata."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation
