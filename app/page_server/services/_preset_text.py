"""Presets as text: what a session has changed of the bundled pipeline that it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from voicegraph.app.storage import ConflictError
from voicegraph.graph.errors import Problem
from voicegraph.graph.files.voice_library import entries
from voicegraph.graph.loading.document import Document
from voicegraph.graph.loading.source_map import KeyPath
from voicegraph.graph.loading.sources import Source, read_chain, read_source, shipped
from voicegraph.graph.regular_file import name_fault
from voicegraph.schemas.control import RunningPipeline

_HEAD = "# A preset of voicegraph, saved {date}.\n#   voicegraph live THIS.yaml\n"
_OWN = ("version", "description", "extends")


def preset_text(running: RunningPipeline, live: Mapping[str, Any], description: str) -> str:
    """The preset that a session makes.

    In the order in which they take effect: what the session's own preset says, the profiles in
    force, the overrides, and the live params that are not as the plan has them.

    Args:
        running: what the session runs.
        live: values of its live params: ``node.param`` -> value.
        description: what the user says about it.

    Raises:
        ConflictError: if its pipeline neither is bundled nor extends a bundled one.
    """
    base, own = base_of(running.path)
    if base is None:
        text = f"the session runs {running.name}, which extends no bundled pipeline"
        fix = "start it with a voice of the library, or save its file yourself"
        raise ConflictError(Problem("no-preset", text, fix=fix))
    data: dict[str, Any] = {"extends": base, **own}
    if description or "description" in own:
        data["description"] = description or own["description"]
    files = _names_of_files()
    for path, value in (*_profiles(running), *running.overrides.items()):
        _set(data, path, _named(value, files))
    for path, value in _changed_params(running, live):
        _set(data, path, value)
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    return _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}") + text


def changes_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a preset changes: dotted path -> value, for people."""
    return {
        path: value
        for key, entry in data.items()
        if key not in _OWN
        for path, value in flat(key, entry)
    }


def flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a value at a dotted path consists of; an empty path is the top of a document."""
    if isinstance(value, Mapping) and value:
        for key, entry in value.items():
            yield from flat(f"{path}.{key}" if path else str(key), entry)
    else:
        yield path, value


def base_of(file: str | None) -> tuple[str | None, dict[str, Any]]:
    """The bundled pipeline that a file is or extends, and what it changes of it.

    Args:
        file: path of a pipeline file.

    Returns:
        None as the name if it extends no bundled pipeline.
    """
    if file is None:
        return None, {}
    path = Path(file)
    bundled = {shipped_file.resolve(): name for name, shipped_file in shipped().items()}
    if (name := bundled.get(path.resolve())) is not None:
        return name, {}
    data = dict(read_source(Source(path, path.name)).data)
    base = data.pop("extends", None)
    data.pop("version", None)
    return (base, data) if isinstance(base, str) and base in shipped() else (None, {})


def _profiles(running: RunningPipeline) -> Iterator[tuple[str, Any]]:
    if not running.profiles or running.path is None:
        return
    path = Path(running.path)
    document = read_chain(Source(path, path.name))
    known = document.data.get("profiles") or {}
    for name in running.profiles:
        for key, value in (known.get(name) or {}).items():
            file = _file(document, ("profiles", name, key), value)
            yield key, value if file is None else str(file)


def _file(document: Document, path: KeyPath, value: Any) -> Path | None:
    """The file that a text names, as seen from the file in which it stands; None if it is none."""
    if not isinstance(value, str) or name_fault(value) is not None:
        return None
    found = document.source_map.resolve(path, value)
    return found if found.is_file() else None


def _names_of_files() -> dict[str, str]:
    """Path of a file of the library -> its name there."""
    found: dict[str, str] = {}
    for name, entry in entries().items():
        for path in (entry.model_file, entry.index_file):
            if path is not None:
                found[str(path)] = found[str(path.resolve())] = name
    return found


def _named(value: Any, files: Mapping[str, str]) -> Any:
    """A value with names of the library in place of its files."""
    if isinstance(value, str):
        return files.get(value, value)
    if isinstance(value, Mapping):
        return {key: _named(entry, files) for key, entry in value.items()}
    if isinstance(value, list):
        return [_named(entry, files) for entry in value]
    return value


def _changed_params(running: RunningPipeline, live: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    planned = {
        f"{node.name}.{param}": value
        for node in running.plan.nodes
        if not node.driver
        for param, value in node.params.items()
    }
    for name, value in live.items():
        if name in planned and planned[name] != value:
            node, _, param = name.partition(".")
            yield f"nodes.{node}.params.{param}", value


def _set(data: dict[str, Any], path: str, value: Any) -> None:
    """Sets a value at a dotted path; mappings on the way are made."""
    *way, last = path.split(".")
    place = data
    for key in way:
        inner = place.get(key)
        if not isinstance(inner, dict):
            inner = place[key] = {}
        place = inner
    place[last] = value
