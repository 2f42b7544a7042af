"""Loads an experiment file, or its keys in Python, as a validated experiment with a source map.

In order: read, extend, profiles, overrides, vars, validate, references. Nothing is executed, and
only experiment files are opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from voicegraph.graph.errors import Mark, PipelineError, Problem, Problems
from voicegraph.graph.loading.document import Document, from_python
from voicegraph.graph.loading.load import read_values
from voicegraph.graph.loading.sources import Source, apply_extends, locate, read_chain
from voicegraph.graph.loading.validation import add_validation_problems
from voicegraph.graph.loading.values import describe
from voicegraph.schemas.experiment import ExperimentFile

from ._references import check_references
from .factor_levels import LevelReader
from .kind import EXPERIMENT, MERGE_KEY
from .loaded_experiment import LoadedExperiment, LoadedTarget


def load_experiment(
    source: str | Path,
    overrides: Mapping[str, object] | None = None,
    set_args: Sequence[str] = (),
    profiles: Sequence[str] = (),
    *,
    keep_going: bool = False,
) -> LoadedExperiment:
    """Loads an experiment file, or a shipped experiment by name.

    Args:
        source: a path (it has a separator, or ends in .yaml or .yml), or a shipped name.
        overrides: values by dotted path.
        set_args: ``path=value`` texts of the command line; they apply last.
        profiles: names of sets of overrides in the file; they apply first, in this order.
        keep_going: keep mistakes in references in ``problems`` instead of raising, so that the
            grid can report them with its own.

    Raises:
        PipelineError: with every mistake of the first phase that found any.
    """
    found = locate(source, kind=EXPERIMENT)
    document = read_chain(found)
    name, path = found.path.stem, found.path.absolute()
    loaded = _load(document, found, name, path, overrides or {}, set_args, profiles)
    return _checked(loaded, keep_going)


def load_mapping(
    data: Mapping[str, Any],
    overrides: Mapping[str, object] | None = None,
    set_args: Sequence[str] = (),
    profiles: Sequence[str] = (),
    *,
    name: str = "experiment",
    keep_going: bool = False,
) -> LoadedExperiment:
    """Loads an experiment from keys in Python; relative paths refer to the working directory.

    Args:
        data: what an experiment file would hold.
        overrides: values by dotted path.
        set_args: ``path=value`` texts.
        profiles: names of sets of overrides in ``data``.
        name: the experiment's name, and its place in messages.
        keep_going: as for :func:`load_experiment`.

    Raises:
        PipelineError: with every mistake of the first phase that found any.
    """
    mark = Mark(name)
    document = from_python(data, mark, own=True, kind=EXPERIMENT)
    if not isinstance(document.data, dict):
        text = f"an experiment is a mapping of keys to values, found {describe(document.data)}"
        raise PipelineError(Problem("not-a-mapping", text, mark, fix='{"metrics": ["latency"]}'))
    text = yaml.safe_dump(document.data, sort_keys=False, allow_unicode=True)
    source = Source(Path.cwd() / name, name, kind=EXPERIMENT)
    document = apply_extends(document, source)
    document = replace(document, files=document.files[1:], text=text)
    loaded = _load(document, source, name, None, overrides or {}, set_args, profiles)
    return _checked(loaded, keep_going)


def _load(
    written: Document,
    source: Source,
    name: str,
    path: Path | None,
    overrides: Mapping[str, object],
    set_args: Sequence[str],
    profiles: Sequence[str],
) -> LoadedExperiment:
    document, unset, problems = read_values(written, overrides, set_args, profiles)
    document = _without_merge_keys(document, problems)
    try:
        file = ExperimentFile.model_validate(document.data)
    except ValidationError as error:
        add_validation_problems(
            problems, error, document.source_map, (), ExperimentFile, skip=unset, kind=EXPERIMENT
        )
        raise PipelineError(problems.found) from None
    problems.raise_if_any()
    reader = LevelReader(document, file, source, problems)
    loaded = LoadedExperiment(
        name,
        path,
        written.text,
        file,
        document.source_map,
        reader.factors(),
        reader.pipeline(("pipeline",), file.pipeline) if file.pipeline else None,
        reader.overrides(("set",), file.overrides),
        {
            target: LoadedTarget(
                target, spec, reader.overrides(("targets", target, "set"), spec.overrides)
            )
            for target, spec in file.targets.items()
        },
        files=written.files,
    )
    return replace(loaded, **check_references(loaded, problems), problems=tuple(problems.found))


def _without_merge_keys(document: Document, problems: Problems) -> Document:
    """The document without ``extends`` in factors that extend none, which are reported."""
    factors = document.data.get("factors")
    kept = dict(factors) if isinstance(factors, dict) else {}
    for name, factor in kept.items():
        if not isinstance(factor, dict) or MERGE_KEY not in factor:
            continue
        at = ("factors", name, MERGE_KEY)
        text = f"factors.{name}.extends keeps levels of an extended experiment, and none has {name}"
        if factor[MERGE_KEY] is not True:
            text = f"factors.{name}.extends is {describe(factor[MERGE_KEY])}, expected true"
        problems.add("wrong-value", text, document.source_map.key(at), fix=f"remove {MERGE_KEY}")
        kept[name] = {key: value for key, value in factor.items() if key != MERGE_KEY}
    return replace(document, data={**document.data, "factors": kept}) if kept else document


def _checked(loaded: LoadedExperiment, keep_going: bool) -> LoadedExperiment:
    if loaded.problems and not keep_going:
        raise PipelineError(loaded.problems)
    return loaded
