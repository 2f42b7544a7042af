"""Kinds of YAML files: what the code that reads, extends and overrides them has to know of each.

Pipelines and experiments are read, merged, overridden and validated by the same code. They differ
in their model, in their words in messages, and in how their mappings merge.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from voicegraph.schemas.pipeline import NodeSpec, PipelineFile

from .source_map import KeyPath


@dataclass(frozen=True, slots=True)
class Family:
    """How files of a kind are told from others, and where those are that come along.

    Attributes:
        word: what messages call such a file.
        a: the same with its article.
        keys: every file of the kind has one of them; other keys, such as ``version``, are common.
        own: keys that no other kind has.
        starts: how such a file starts, in words.
        commands: what takes it.
        package: package of the files that come along.
    """

    word: str
    a: str
    keys: tuple[str, ...]
    own: frozenset[str]
    starts: str
    commands: str
    package: str

    @property
    def folder(self) -> Path:
        """The folder of the files that come along."""
        return Path(str(importlib.resources.files(self.package)))

    def shipped(self) -> dict[str, Path]:
        """The files that come along: name -> path."""
        return {path.stem: path for path in sorted(self.folder.glob("*.yaml"))}


PIPELINES = Family(
    "pipeline",
    "a pipeline",
    ("nodes", "extends", "block"),
    frozenset({"block", "output", "input", "assets", "on_nan", "on_late"}),
    "`extends: NAME`, or `block: 10ms` and `nodes:`",
    "voicegraph check, run and live",
    "voicegraph.pipelines",
)
EXPERIMENTS = Family(
    "experiment",
    "an experiment",
    ("metrics", "factors", "clips", "extends"),
    frozenset({"metrics", "factors", "clips", "compare", "targets", "seeds", "goals", "require"}),
    "`extends: NAME`, or `metrics:` and `factors:`",
    "voicegraph experiment check and run",
    "voicegraph.experiments.shipped",
)
FAMILIES = (PIPELINES, EXPERIMENTS)


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file.

    Attributes:
        family: tells it from others.
        model: validates its contents.
        first_line: how such a file may start.
        example: a dotted path of such a file.
        template: the form of dotted paths.
        members: keys that hold mappings of names to things, with the word for such a thing.
        new_members: what a new thing may look like, for those that an override may add.
        main: the one of ``members`` that is meant by a path that starts with a name in it.
        inner: what follows that name, made of what was written after it.
        mappings: parts of paths that hold mappings; what is in them is a single value, mostly.
        removes: whether null at a path removes the value that is there.
        replaces: whether a mapping at a path replaces the one that is there, instead of merging.
        merge_key: key of a mapping that would replace, by which it merges after all.
        spelled_out: the mapping that can be at a path instead of a value that is short for one,
            with a further part; None if there is none.
        literal: keys below which a dollar sign has no meaning.
    """

    family: Family
    model: type[BaseModel]
    first_line: str
    example: str
    template: str
    members: Mapping[str, str]
    new_members: Mapping[str, Mapping[str, Any]]
    main: str
    inner: Callable[[tuple[str, ...]], str]
    mappings: frozenset[str]
    removes: Callable[[KeyPath, Any], bool]
    replaces: Callable[[KeyPath], bool]
    spelled_out: Callable[[KeyPath, Any, Mapping[str, Any]], Mapping[str, Any] | None]
    merge_key: str | None = None
    literal: tuple[str, ...] = ("version", "description", "extends", "vars", "profiles")

    @property
    def word(self) -> str:
        """What messages call such a file."""
        return self.family.word


_NODE_KEYS = {spec.alias or name for name, spec in NodeSpec.model_fields.items()}


def _in_node(rest: tuple[str, ...]) -> str:
    """``use`` if nothing was written after a node's name; a param if it is no key of a node."""
    return ".".join(rest if not rest or rest[0] in _NODE_KEYS else ("params", *rest)) or "use"


def _removed_from_pipeline(path: KeyPath, _: Any) -> bool:
    """Null removes a node, or an input of a node."""
    return path[0] == "nodes" and (len(path) == 2 or (len(path) == 4 and path[2] == "in"))


def _inputs_by_name(path: KeyPath, _: Any, part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return part if path[0] == "nodes" and path[2:3] == ("in",) else None


PIPELINE = FileKind(
    family=PIPELINES,
    model=PipelineFile,
    first_line="block: 10ms",
    example="nodes.f0.use",
    template="nodes.NODE.params.PARAM",
    members={"nodes": "node", "vars": "var"},
    new_members={"nodes": {"use": "FAMILY.NAME", "in": "NODE"}},
    main="nodes",
    inner=_in_node,
    mappings=frozenset({"nodes", "input", "in", "params"}),
    removes=_removed_from_pipeline,
    replaces=lambda _: False,
    spelled_out=_inputs_by_name,
)
