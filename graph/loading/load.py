"""Loads a pipeline file, or its keys in Python, as a validated pipeline with a source map.

In order: read, extend, profiles, overrides, values of the voice's card, vars, validate, assets.
Nothing is executed, and only pipeline files and cards of the library of voices are opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from voicegraph.schemas.pipeline import PipelineFile

from ..errors import Mark, PipelineError, Problem, Problems
from ..library_value import LibraryValue
from ._assets import asset_paths, require_assets
from ._partial_load import PartialPipeline, load_partially
from ._variables import substitute
from .confinement import Confinement
from .document import Document, from_python
from .library_values import with_library_values
from .overrides import (
    Override,
    apply_overrides,
    from_other_file,
    from_outside,
    from_profile,
)
from .source_map import KeyPath, SourceMap
from .sources import Source, apply_extends, locate, read_chain
from .validation import add_validation_problems
from .values import describe


@dataclass(frozen=True)
class LoadedPipeline:
    """A pipeline file after extending, overriding and substituting.

    Attributes:
        name: the file's name without its ending, or the name given in Python.
        path: the file; None for a pipeline built in Python.
        file: the validated contents; assets are absolute paths.
        source_map: where every value was written.
        swapped: nodes whose ``use`` was changed by an override or an extending file. Params that
            the new node does not have are dropped, unless ``source_map.is_override``.
        problems: mistakes that the compiler reports together with its own.
        broken: nodes that are left out because of them.
        unknown_assets: assets that have no value because of them.
        types_known: whether rates and types can be inferred in spite of them.
        document: the document before substitution of vars, for further overrides.
        complete: the same with the values that the card of its voice gives; it means the same
            without the library.
        taken: these values.
        written: the document without profiles and overrides, for other profiles.
        profiles: names of the profiles that are in force, in the order in which they apply.
        overrides: the overrides that apply after them.
        confinement: the folders in which files may be read, here and after every later change;
            None: all.
    """

    name: str
    path: Path | None
    file: PipelineFile
    source_map: SourceMap
    swapped: frozenset[str]
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()
    unknown_assets: frozenset[str] = frozenset()
    types_known: bool = True
    document: Document | None = None
    written: Document | None = None
    profiles: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    confinement: Confinement | None = None
    complete: Document | None = None
    taken: tuple[LibraryValue, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """The pipeline files that were read, the file itself first."""
        return self.written.files if self.written is not None else ()


def load_pipeline(
    source: str | Path,
    overrides: Mapping[str, object] | None = None,
    profiles: Sequence[str] = (),
    *,
    set_args: Sequence[str] = (),
    placed: Sequence[Override] = (),
    keep_going: bool = False,
    confined: Confinement | None = None,
) -> LoadedPipeline:
    """Loads a pipeline file, or a shipped pipeline by name.

    Args:
        source: a path (it has a separator, or ends in .yaml or .yml), or a shipped name.
        overrides: values by dotted path.
        profiles: names of sets of overrides in the file; they apply first, in this order.
        set_args: ``path=value`` texts of the command line; they apply last.
        placed: overrides that another file has, with their places there; they apply after the
            profiles.
        keep_going: keep mistakes in ``problems`` instead of raising, if something remains to
            compile, so that the compiler can report them with its own.
        confined: the folders in which files may be read; None: all.

    Raises:
        PipelineError: with every mistake of the first phase that found any.
    """
    found = locate(source)
    document = read_chain(found, confined)
    problems = Problems()
    wanted = [
        *from_other_file(document, placed),
        *from_outside(document, overrides or {}, set_args, problems),
    ]
    loaded = _load(document, found.path.stem, found.path, profiles, wanted, problems, keep_going)
    return replace(loaded, confinement=confined)


def load_mapping(
    data: Mapping[str, Any],
    overrides: Mapping[str, object] | None = None,
    profiles: Sequence[str] = (),
    name: str = "pipeline",
    *,
    set_args: Sequence[str] = (),
    keep_going: bool = False,
    swapped: frozenset[str] = frozenset(),
    own: bool = True,
) -> LoadedPipeline:
    """Loads a pipeline from keys in Python; relative paths refer to the working directory.

    Args:
        data: what a pipeline file would hold.
        overrides: values by dotted path.
        profiles: names of sets of overrides in ``data``.
        name: the pipeline's name, and its place in messages.
        set_args: ``path=value`` texts.
        keep_going: as for :func:`load_pipeline`.
        swapped: nodes whose ``use`` was changed before ``data`` was made; see ``Document``.
        own: whether the user gave ``data``, and nobody else; see ``Place``.

    Raises:
        PipelineError: with every mistake of the first phase that found any.
    """
    mark = Mark(name)
    document = replace(from_python(data, mark, own=own), swapped=swapped)
    if not isinstance(document.data, dict):
        text = f"a pipeline is a mapping of keys to values, found {describe(document.data)}"
        raise PipelineError(Problem("not-a-mapping", text, mark, fix='{"block": "10ms", ...}'))
    document = apply_extends(document, Source(Path.cwd() / name, name))
    document = replace(document, files=document.files[1:])  # the first stands for the keys
    problems = Problems()
    wanted = from_outside(document, overrides or {}, set_args, problems)
    return _load(document, name, None, profiles, wanted, problems, keep_going)


def changed(
    loaded: LoadedPipeline,
    overrides: Mapping[str, object],
    placed: Sequence[Override] = (),
) -> LoadedPipeline:
    """The same pipeline with further overrides by dotted path, without reading files again.

    Args:
        loaded: the pipeline.
        overrides: values by dotted path.
        placed: as for :func:`load_pipeline`; they apply first.

    Raises:
        PipelineError: with every mistake of the first phase that found any.
    """
    assert loaded.document is not None
    assert loaded.written is not None
    problems = Problems()
    wanted = [
        *from_other_file(loaded.document, placed),
        *from_outside(loaded.document, overrides, (), problems),
    ]
    document = apply_overrides(loaded.document, wanted, problems)
    problems.raise_if_any()
    found = _finish(document, loaded.name, loaded.path, True)
    applied = (*loaded.overrides, *wanted)
    return replace(
        found,
        written=loaded.written,
        profiles=loaded.profiles,
        overrides=applied,
        confinement=loaded.confinement,
    )


def with_profiles(loaded: LoadedPipeline, profiles: Sequence[str]) -> LoadedPipeline:
    """The same pipeline with other profiles in place of its own, without reading files again.

    What they set takes precedence over overrides of the same values that were made before.

    Raises:
        PipelineError: with every mistake found, such as a profile that the pipeline does not have.
    """
    assert loaded.written is not None
    document = loaded.written
    problems = Problems()
    paths = {o.path for name in profiles for o in from_profile(document, name, problems)}
    problems.raise_if_any()
    kept = [override for override in loaded.overrides if not _hidden(override.path, paths)]
    found = _load(document, loaded.name, loaded.path, profiles, kept, problems, True)
    return replace(found, confinement=loaded.confinement)


def read_values(
    written: Document,
    overrides: Mapping[str, object],
    set_args: Sequence[str],
    profiles: Sequence[str],
) -> tuple[Document, frozenset[KeyPath], Problems]:
    """A document with profiles, overrides and vars applied, for files of any kind.

    Returns:
        The document, the paths whose vars have no value, and what is wrong with the vars.

    Raises:
        PipelineError: if profiles or overrides are wrong.
    """
    problems = Problems()
    wanted = [o for profile in profiles for o in from_profile(written, profile, problems)]
    wanted += from_outside(written, overrides, set_args, problems)
    document = apply_overrides(written, wanted, problems)
    problems.raise_if_any()
    document, unset = substitute(document, problems)
    return document, unset, problems


def _hidden(path: KeyPath, paths: set[KeyPath]) -> bool:
    """Whether one of the paths is this one or contains it."""
    return any(path[:length] in paths for length in range(1, len(path) + 1))


def _load(
    written: Document,
    name: str,
    path: Path | None,
    profiles: Sequence[str],
    overrides: Sequence[Override],
    problems: Problems,
    keep_going: bool,
) -> LoadedPipeline:
    """Profiles, then overrides, then the rest; ``problems`` may hold mistakes already."""
    wanted = [o for profile in profiles for o in from_profile(written, profile, problems)]
    document = apply_overrides(written, [*wanted, *overrides], problems)
    problems.raise_if_any()
    found = _finish(document, name, path, keep_going)
    return replace(found, written=written, profiles=tuple(profiles), overrides=tuple(overrides))


def _finish(document: Document, name: str, path: Path | None, keep_going: bool) -> LoadedPipeline:
    problems = Problems()
    complete, taken = with_library_values(document)
    values, unset = substitute(complete, problems)
    unknown = unset | require_assets(values, problems)
    found = _validate(values, unknown, problems)
    if found is None or not keep_going:
        problems.raise_if_any()
    assert found is not None  # otherwise there is a problem
    given, misnamed = asset_paths(values, found.file.assets, problems)
    if not keep_going:
        problems.raise_if_any()
    file = found.file.model_copy(update={"assets": given})
    return LoadedPipeline(
        name,
        path,
        file,
        values.source_map,
        values.swapped & set(file.nodes),
        tuple(problems.found),
        found.broken,
        found.unknown_assets | misnamed,
        found.types_known,
        document,
        complete=complete,
        taken=taken,
    )


def _validate(
    document: Document, unknown: frozenset[KeyPath], problems: Problems
) -> PartialPipeline | None:
    """The validated file, or what remains of it; mistakes are added to ``problems``.

    Values at the paths in ``unknown`` are not known, which is reported already.
    """
    try:
        file = PipelineFile.model_validate(document.data)
    except ValidationError as error:
        add_validation_problems(
            problems, error, document.source_map, (), PipelineFile, skip=unknown
        )
        return load_partially(document, error, unknown)
    return load_partially(document, None, unknown) if unknown else PartialPipeline(file)
