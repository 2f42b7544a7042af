"""What differs between the plans of a cell in two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voicegraph.schemas.experiment_manifest import Manifest

_MOST = 12
_LONGEST = 60


def plan_changes(
    a: Manifest, b: Manifest, cell: str, packages: Mapping[str, list[str | None]]
) -> list[str]:
    """Changes ``place: before -> after`` of a cell's plan; none if both have one key."""
    keys = [next(one.plan for one in run.cells if one.name == cell) for run in (a, b)]
    if keys[0] == keys[1]:
        return []
    plans = [run.plans.get(key or "") for run, key in zip((a, b), keys, strict=True)]
    if plans[0] is None or plans[1] is None:
        there = ["a plan" if plan is not None else "no plan" for plan in plans]
        return [f"{there[0]} -> {there[1]}"]
    found = [
        *_walk("", plans[0].described, plans[1].described),
        *_walk("file ", plans[0].files, plans[1].files),
    ]
    if not found:
        versions = ", ".join(f"{name} {old} -> {new}" for name, (old, new) in packages.items())
        text = "the code that decides its numbers, or a package"
        found = [f"{text}: {versions}" if versions else text]
    more = len(found) - _MOST
    return [*found[:_MOST], *([f"{more} more"] if more > 0 else [])]


def _walk(place: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            deeper = f"{place}.{key}" if place and not place.endswith(" ") else f"{place}{key}"
            yield from _walk(deeper, before.get(key), after.get(key))
    elif isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        yield from _walk(place, _numbered(before), _numbered(after))
    else:
        yield f"{place}: {_short(before)} -> {_short(after)}"


def _numbered(items: list[Any] | tuple[Any, ...]) -> dict[str, Any]:
    """Members by name where they have one, so that an insertion changes one line."""
    return {
        str(item["name"]) if isinstance(item, Mapping) and "name" in item else str(i): item
        for i, item in enumerate(items)
    }


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
