"""Pipelines as plain data, which travel to workers and are compiled again there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from voicegraph.graph import registry
from voicegraph.graph.errors import Problem, StateError
from voicegraph.graph.files.sound.input_conversion import ConversionPlan
from voicegraph.graph.loading.portable_document import with_absolute_names
from voicegraph.graph.node import Node
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.runtime.param_values import from_json, to_json
from voicegraph.graph.signals import Audio
from voicegraph.schemas.engine_setup import EngineSetup, NodeSetup, ThreadLayout

from .files import FileHash, here, moved, renamed, renamed_json, require_same, travelling

Overrides = tuple[tuple[str, Any], ...]
"""Further values by dotted path."""


@dataclass(frozen=True, slots=True)
class PipelineData:
    """A pipeline with its overrides applied, and what must be the same where it runs.

    Attributes:
        name: of the pipeline.
        document: its keys as JSON; files as :func:`~.files.travelling` names them.
        swapped: nodes whose ``use`` was changed by an override.
        plan: hash of its plan.
        contents: the files that it reads.
    """

    name: str
    document: str
    swapped: tuple[str, ...]
    plan: str
    contents: tuple[FileHash, ...]

    @classmethod
    def of(cls, pipeline: Pipeline, plan: Plan) -> PipelineData:
        """The data of a pipeline, and of the plan that was compiled of it."""
        document = pipeline.loaded.complete  # a worker needs no library of voices
        assert document is not None
        paths = {path for planned in plan.nodes for path in planned.files.values()}
        names = {str(path): travelling(path) for path in paths}
        written = with_absolute_names(document, paths)
        contents = {travelling(found.path): found.sha256 for found in plan.files.values()}
        return cls(
            pipeline.name,
            json.dumps(renamed(to_json(written), names)),  # in order: it decides the plan's
            tuple(sorted(document.swapped)),
            plan.hash,
            tuple(sorted(contents.items())),
        )

    def with_files(self, places: Mapping[Path, Path]) -> PipelineData:
        """The same pipeline, reading its files from other places."""
        names = moved(self.contents, places)
        contents = tuple((names.get(name, name), sha256) for name, sha256 in self.contents)
        return replace(self, document=renamed_json(self.document, names), contents=contents)


@dataclass(frozen=True, slots=True)
class LoadedPlans:
    """A pipeline in a worker's process, and its plans by the type of their input.

    Weights stay loaded as long as this is kept.
    """

    pipeline: Pipeline
    plans: dict[Audio, ConversionPlan]


def load(data: PipelineData, further: Overrides = ()) -> LoadedPlans:
    """The pipeline of a task; those of the newest two are kept in the process.

    Args:
        data: the pipeline.
        further: overrides of one clip.

    Raises:
        InputError: if a file has changed.
        StateError: if its plan is another one here.
        PipelineError: if it does not compile.
    """
    classes = _classes(json.loads(data.document))
    return _changed(data, further, classes) if further else _unchanged(data, classes)


def _classes(document: Mapping[str, Any]) -> tuple[type[Node], ...]:
    """The classes of its nodes. A file of nodes that is loaded again brings others."""
    nodes: Mapping[str, Mapping[str, Any]] = document.get("nodes") or {}
    found: list[type[Node]] = []
    for node in nodes.values():
        with suppress(KeyError, ImportError):  # reported when it is compiled
            found.append(registry.find(node["use"]))
    return tuple(found)


@lru_cache(maxsize=2)
def _unchanged(data: PipelineData, classes: tuple[type[Node], ...]) -> LoadedPlans:
    del classes  # a part of what is remembered
    require_same(data.contents)
    names = {name: str(here(name)) for name, _ in data.contents}
    document = from_json(renamed(json.loads(data.document), names))
    pipeline = Pipeline.from_data(document, data.name, data.swapped)
    plan = pipeline.compile()
    if plan.hash != data.plan:
        text = f"{data.name} has the plan {plan.hash} in this process, expected {data.plan}"
        fix = "use one version of voicegraph and of all nodes on all machines"
        raise StateError(Problem("other-plan", text, fix=fix))
    return LoadedPlans(pipeline, {})


@lru_cache(maxsize=2)  # two, so that networks that both use stay in memory
def _changed(
    data: PipelineData, further: Overrides, classes: tuple[type[Node], ...]
) -> LoadedPlans:
    return LoadedPlans(_unchanged(data, classes).pipeline.changed(dict(further)), {})


def engine_setup(threads: int, precisions: Mapping[str, str]) -> EngineSetup:
    """One row of nodes on so many numeric threads, with given precisions of nodes."""
    nodes = {name: NodeSetup(precision=dtype) for name, dtype in precisions.items()}
    return EngineSetup(threads=ThreadLayout(main=threads), nodes=nodes)


def require_precisions(wanted: Mapping[str, str], used: Mapping[str, str]) -> None:
    """Checks that nodes with ``dtype: auto`` computed as the driver decided.

    Raises:
        StateError: if this machine lacks a precision.
    """
    for name, dtype in wanted.items():
        if used.get(name, dtype) != dtype:
            text = f"{name} was to compute in {dtype}, which this machine does not have"
            fix = f"nodes.{name}.dtype: float32"
            raise StateError(Problem("no-such-precision", text, fix=fix))
