"""Pipelines from YAML files or from Python, ready to compile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler import compile_pipeline
from ..errors import PipelineError, Problem
from ..loading.confinement import confinement
from ..loading.load import LoadedPipeline, changed, load_mapping, load_pipeline, with_profiles
from ..loading.overrides import Override
from ..node import Node
from ..signals import Audio
from ._plan import Plan

if TYPE_CHECKING:
    from ..runtime.session import Session


def node(use: str | type[Node], source: Any = None, /, **params: Any) -> dict[str, Any]:
    """One entry of ``nodes`` in Python: ``node("dsp.gain", "input", db=-6)``.

    Args:
        use: a registered name, or a class decorated with ``@register``.
        source: source of its input: a node, ``node.port``, or a dict by input port.
        **params: its params.
    """
    name = use if isinstance(use, str) else _name_of(use)
    entry: dict[str, Any] = {"use": name, "params": params}
    return entry if source is None else {**entry, "in": source}


def _name_of(cls: type[Node]) -> str:
    if not cls.use:
        text = f"{cls.__name__} has no name yet"
        raise PipelineError(
            Problem("unnamed-node", text, fix=f'@register("my.{cls.__name__.lower()}")')
        )
    return cls.use


def _require_valid(loaded: LoadedPipeline) -> LoadedPipeline:
    """Checks a loaded file; the compiler adds its own mistakes, so that all are reported together.

    Raises:
        PipelineError: if the file has mistakes.
    """
    if loaded.problems:
        compile_pipeline(loaded)
    return loaded


class Pipeline:
    """A pipeline with its overrides applied, ready to compile.

    Built from the keys of a pipeline file, or loaded with :meth:`load`::

        Pipeline(block="10ms", nodes={"quiet": node("dsp.gain", "input", db=-6)}, output="quiet")

    Raises:
        PipelineError: with every mistake found.
    """

    def __init__(self, *, name: str = "pipeline", **keys: Any) -> None:
        self.loaded = _require_valid(load_mapping(keys, name=name, keep_going=True))

    @classmethod
    def load(
        cls,
        source: str | Path,
        overrides: Mapping[str, Any] | None = None,
        *,
        profiles: Sequence[str] = (),
        set_args: Sequence[str] = (),
        placed: Sequence[Override] = (),
        confined: Sequence[str | Path] | None = None,
    ) -> Pipeline:
        """Loads a pipeline file, or a shipped pipeline by name.

        Args:
            source: a path, or a name such as ``world``.
            overrides: values by dotted path, such as ``{"nodes.f0.use": "f0.harvest"}``.
            profiles: names of sets of overrides that the file offers.
            set_args: overrides as on the command line, ``path=value`` with the value in YAML.
            placed: overrides that another file has, with their places there, for messages.
            confined: folders; the pipeline, and whatever it is changed to later, reads files below
                them and those of the package only, and writes none without ``allow_write``, even
                if an override asks for it. None: no such limit.

        Raises:
            PipelineError: with every mistake found.
        """
        self = cls.__new__(cls)
        loaded = load_pipeline(
            source,
            overrides,
            tuple(profiles),
            set_args=tuple(set_args),
            placed=tuple(placed),
            keep_going=True,
            confined=None if confined is None else confinement(confined),
        )
        self.loaded = _require_valid(loaded)
        return self

    @classmethod
    def from_data(
        cls, data: Mapping[str, Any], name: str = "pipeline", swapped: Sequence[str] = ()
    ) -> Pipeline:
        """Loads a pipeline from the keys of a pipeline file that somebody else may have written.

        Unlike those of ``Pipeline(...)``, files that its nodes write need ``allow_write``: see
        :meth:`session`.

        Args:
            data: the contents of a pipeline file.
            name: the pipeline's name.
            swapped: nodes whose ``use`` was changed earlier: params of their former class are
                dropped.

        Raises:
            PipelineError: with every mistake found.
        """
        self = cls.__new__(cls)
        loaded = load_mapping(
            data, name=name, keep_going=True, swapped=frozenset(swapped), own=False
        )
        self.loaded = _require_valid(loaded)
        return self

    def changed(self, overrides: Mapping[str, Any], placed: Sequence[Override] = ()) -> Pipeline:
        """The same pipeline with further overrides by dotted path, without reading files again.

        Args:
            overrides: values by dotted path.
            placed: as for :meth:`load`; they apply first.

        Raises:
            PipelineError: with every mistake found.
        """
        return self._with(changed(self.loaded, overrides, placed))

    def with_profiles(self, *names: str) -> Pipeline:
        """The same pipeline with these profiles in place of those in force.

        What a profile sets takes precedence over earlier overrides of the same values.

        Raises:
            PipelineError: with every mistake found.
        """
        return self._with(with_profiles(self.loaded, names))

    def _with(self, loaded: LoadedPipeline) -> Pipeline:
        other = type(self).__new__(type(self))
        other.loaded = _require_valid(loaded)
        return other

    @property
    def profiles(self) -> tuple[str, ...]:
        """Names of the profiles that the pipeline offers."""
        return tuple(self.loaded.file.profiles)

    @property
    def active_profiles(self) -> tuple[str, ...]:
        """Names of the profiles in force, in the order in which they apply."""
        return self.loaded.profiles

    @property
    def name(self) -> str:
        """The file's name without its suffix, or the name given in Python."""
        return self.loaded.name

    def compile(
        self,
        source: Audio | None = None,
        target: Audio | None = None,
        latency: Fraction = Fraction(0),
    ) -> Plan:
        """Compiles the static plan; independent of weights and of the machine.

        Args:
            source: the audio type of a driver's input; None: the file's ``input``.
            target: the audio type of a driver's output; None: what the pipeline gives.
            latency: minimum algorithmic latency in seconds, so that a running session can be
                changed to a pipeline that needs it.

        Raises:
            PipelineError: with every problem of the first phase that found any.
        """
        plan = compile_pipeline(self.loaded, source, target, latency, Plan)
        plan.origin = self
        return plan

    def session(self, streams: int = 1, **options: Any) -> Session:
        """Compiles and opens a session."""
        return self.compile().session(streams, **options)
