"""Shell completion.

It must be fast, so nothing here imports torch. It prints no errors: a file that cannot be read
gives no suggestions.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from voicegraph.graph.loading.document import Document

_TOP = ("block", "seed", "threads", "on_nan", "on_late", "output", "input.rate", "input.channels")
_SECTIONS = ("nodes.", "vars.", "assets.")
_PIPELINES = ("pipeline", "pipelines", "a")
"""Arguments of commands that name the pipeline."""
_NODE = ("use", "in", "enabled", "device", "dtype", "fallback")


def complete_pipelines(incomplete: str) -> list[str]:
    """Names of bundled pipelines, and pipeline files and folders by path."""
    from voicegraph.graph.loading.sources import shipped

    names = [name for name in shipped() if name.startswith(incomplete)]
    return [*names, *_files(incomplete)]


def _files(incomplete: str) -> list[str]:
    from voicegraph.graph.loading.document import SUFFIXES

    typed = Path(incomplete)
    whole = incomplete.endswith(("/", os.sep))
    folder, start = (typed, "") if whole else (typed.parent, typed.name)
    lead = incomplete[: len(incomplete) - len(start)]
    try:
        found = sorted(folder.iterdir())
    except OSError:
        return []
    visible = [p for p in found if p.name.startswith(start) and (start or p.name[0] != ".")]
    files = [f"{lead}{p.name}" for p in visible if p.suffix in SUFFIXES]
    return files + [f"{lead}{p.name}/" for p in visible if p.is_dir()]


def complete_voices(incomplete: str) -> list[str]:
    """Names in the library of voices."""
    from voicegraph.graph.files.voice_library import known_names

    return [name for name in known_names() if name.startswith(incomplete)]


def complete_nodes(incomplete: str) -> list[str]:
    """Names of nodes that come with the package or with an installed add-on."""
    return [name for name in _node_names() if name.startswith(incomplete)]


def _node_names() -> list[str]:
    """As :func:`~voicegraph.graph.registry.names`, which would import torch."""
    from importlib.metadata import entry_points

    from voicegraph.nodes import BUILTIN

    return sorted({*BUILTIN, *(point.name for point in entry_points(group="voicegraph.nodes"))})


def complete_set(ctx: typer.Context, incomplete: str) -> list[str]:
    """Paths of the pipeline on the command line; names of nodes and of voices as values."""
    path, equals, value = incomplete.partition("=")
    if equals:
        if path == "vars.voice" or path.startswith("assets."):
            return [f"{path}={name}" for name in complete_voices(value)]
        if not path.endswith(".use"):
            return []
        return [f"{path}={name}" for name in _node_names() if name.startswith(value)]
    document = _document(ctx)
    if document is None:
        return [word for word in (*_TOP, *_SECTIONS) if word.startswith(path)]
    return [f"{p}=" for p in _paths(document.data) if p.startswith(path)]


def complete_profiles(ctx: typer.Context, incomplete: str) -> list[str]:
    """Profiles of the pipeline on the command line."""
    document = _document(ctx)
    profiles = _mapping(document.data.get("profiles")) if document else {}
    return [name for name in profiles if name.startswith(incomplete)]


def _document(ctx: typer.Context) -> Document | None:
    from voicegraph.graph.errors import VoicegraphError
    from voicegraph.graph.loading.sources import locate, read_chain

    # If an option still lacks its value, the arguments before it are in ``args``.
    named = next((ctx.params[p] for p in _PIPELINES if ctx.params.get(p)), ctx.args)
    name = named[0] if isinstance(named, (list, tuple)) and named else named
    if not isinstance(name, str):
        return None
    try:
        return read_chain(locate(name))
    except VoicegraphError:
        return None


def _paths(data: dict[str, Any]) -> list[str]:
    """Every path that an override could name without adding a node, shallow ones first."""
    paths = list(_TOP)
    for section in ("vars", "assets"):
        paths += [f"{section}.{name}" for name in _mapping(data.get(section))]
    for name, spec in _mapping(data.get("nodes")).items():
        use, written = _mapping(spec).get("use"), _mapping(_mapping(spec).get("params"))
        paths += [f"nodes.{name}.{key}" for key in _NODE]
        paths += [f"nodes.{name}.params.{key}" for key in dict.fromkeys([*written, *_params(use)])]
    return paths


@cache
def _definitions() -> dict[str, Any]:
    """The schema for editors knows the params of the nodes without importing them."""
    from importlib import resources

    try:
        text = (resources.files("voicegraph.schemas") / "pipeline.schema.json").read_text("utf-8")
    except OSError:
        return {}
    return json.loads(text)["$defs"]


def _params(use: Any) -> list[str]:
    return list(_definitions().get(f"params.{use}", {}).get("properties", {}))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
