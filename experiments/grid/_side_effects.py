"""What a level changes besides itself: its plan against that of the baseline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from voicegraph.graph.loading.load import LoadedPipeline
from voicegraph.graph.loading.overrides import Override
from voicegraph.graph.loading.source_map import KeyPath
from voicegraph.graph.pipeline import Pipeline, Plan

from ..compiled import SideEffect
from ..file.factor_levels import FactorLevel

Compiled = tuple[Pipeline, Plan]
_NONE = "none"


def side_effects(
    level: FactorLevel, baseline: FactorLevel, after: Compiled, before: Compiled
) -> list[SideEffect]:
    """Values that differ between two plans, and that neither level says itself.

    Params that only the new node has are its own, and no side effect; those that only the old one
    had are gone.
    """
    said = _whole((*level.overrides, *baseline.overrides))
    one, two = _values(*before, said), _values(*after, said)
    return [
        SideEffect(level.factor, level.name, baseline.name, what, value, two.get(what, _NONE))
        for what, value in one.items()
        if two.get(what, _NONE) != value
    ]


def _whole(overrides: Iterable[Override]) -> set[KeyPath]:
    """Every path that overrides write, with what is inside of their values."""
    return {
        (*override.path, *inside)
        for override in overrides
        for inside in override.value.source_map.places
    }


def _values(pipeline: Pipeline, plan: Plan, said: set[KeyPath]) -> dict[str, str]:
    """What a plan does, by name, without what the levels say."""
    described = plan.describe()
    found: dict[str, str] = {
        "latency": described["latency"]["algorithmic"],
        "output rate": described["output"]["type"],
        "pruned nodes": ", ".join(described["pruned"]) or _NONE,
        "nodes that are off": ", ".join(described["bypassed"]) or _NONE,
    }
    if ("block",) not in said:
        found["block"] = described["block"]
    found |= {
        name: _text(value) for name, value in described["settings"].items() if (name,) not in said
    }
    for node in described["nodes"]:
        found |= _of_node(pipeline.loaded, node, said)
    return found


def _of_node(loaded: LoadedPipeline, node: Mapping[str, Any], said: set[KeyPath]) -> dict[str, str]:
    name: str = node["name"]
    found: dict[str, str] = {}
    for key in ("use", "device", "dtype"):
        if ("nodes", name, key) not in said and ("nodes", name) not in said:
            found[f"{name}.{key}"] = node[key]
    for param, value in node["params"].items():
        if not _is_said(loaded, name, node["use"], param, said):
            found[f"{name}.{param}"] = _text(value)
    sources = {port: link["from"] for port, link in node["inputs"].items()}
    if ("nodes", name, "in") not in said:
        found[f"{name} in"] = _text(sources)
    return found


def _is_said(loaded: LoadedPipeline, name: str, use: str, param: str, said: set[KeyPath]) -> bool:
    """Whether a level gives a param: itself, by a var, or as an asset."""
    path: KeyPath = ("nodes", name, "params", param)
    var = loaded.source_map.var(path)
    asset = use.rpartition(".")[2]
    return (
        path in said
        or ("nodes", name) in said
        or (var is not None and ("vars", var) in said)
        or (param == "weights" and ("assets", asset) in said)
    )


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and "file" in value:
        return str(value["file"])
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
