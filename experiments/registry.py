"""The registries of observers, metrics and conditions, and the decorators that add to them.

Shipped plug-ins are listed in a table of each folder's ``__init__``, so that using one does not
import them all. Others come through entry points (``voicegraph.observers``, ``voicegraph.metrics``,
``voicegraph.conditions``) or from a Python file that ``metrics_files`` names.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.metadata
import importlib.util
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from voicegraph.graph.errors import PipelineError, Problem

from .metric import (
    Condition,
    Heard,
    Metric,
    MetricFamily,
    Need,
    NotMeasured,
    Observer,
    Origin,
    Params,
)

T = TypeVar("T")
Against = Literal["source", "given", "target"]
_PLAIN = re.compile(r"[a-z][a-z0-9_]*")
_DOTTED = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(slots=True)
class Registry(Generic[T]):
    """Plug-ins of one kind by name.

    Attributes:
        kind: what they are, for messages.
        base: their base class.
        shape: of their names.
        group: of entry points.
        home: package whose ``BUILTIN`` lists the modules of shipped ones, by name.
    """

    kind: str
    base: type
    shape: re.Pattern[str]
    group: str
    home: str
    registered: dict[str, type[T]] = field(default_factory=dict)

    def add(self, name: str, cls: type[T]) -> None:
        """Registers a class.

        Raises:
            ValueError: if the name is malformed, or another class has it.
        """
        if not self.shape.fullmatch(name):
            looks = "family.name" if self.shape is _DOTTED else "a word"
            raise ValueError(f"the name of {self.kind} is {looks} in lower case, found {name!r}")
        known = self.registered.get(name)
        if known is not None and _identity(known) != _identity(cls):
            raise ValueError(f"{name} is already registered by {known.__module__}.{known.__name__}")
        cls.name = name  # pyright: ignore[reportAttributeAccessIssue]
        self.registered[name] = cls

    def names(self) -> list[str]:
        """Every known name, sorted."""
        return sorted({*self.registered, *self._builtin(), *self._third_party()})

    def find(self, name: str) -> type[T]:
        """The class behind a name.

        Raises:
            KeyError: if the name is unknown.
            ImportError: if its module fails, or does not define it.
        """
        if name in self.registered:
            return self.registered[name]
        if (module := self._builtin().get(name)) is not None:
            importlib.import_module(f"{self.home}.{module}")
        elif (point := self._third_party().get(name)) is not None:
            self._load(name, point)
        else:
            raise KeyError(name)
        if name not in self.registered:
            raise ImportError(f"its module registers no {name}")
        return self.registered[name]

    def nearest(self, name: str) -> list[str]:
        """Known names similar to ``name``, the best first."""
        known, word = self.names(), name.lower().rsplit(".", 1)[-1]
        same = [entry for entry in known if entry.rsplit(".", 1)[-1] == word]
        return list(dict.fromkeys([*same, *difflib.get_close_matches(name.lower(), known, 3)]))

    def unknown(self, name: str) -> Problem:
        """The problem that no plug-in has this name, with what there is."""
        close = self.nearest(name)
        return Problem(
            f"unknown-{self.kind.split()[-1]}",
            f"no {self.kind.split(' ', 1)[-1]} is called {name!r}",
            notes=((f"there are: {', '.join(self.names())}", None),),
            fix=close[0] if close else "voicegraph experiment metrics",
        )

    def _load(self, name: str, point: importlib.metadata.EntryPoint) -> None:
        try:
            cls = point.load()
        except Exception as error:
            text = f"{point.value} failed while it was imported: {type(error).__name__}: {error}"
            raise ImportError(text) from error
        if isinstance(cls, type) and issubclass(cls, self.base):
            self.add(name, cls)

    def _builtin(self) -> dict[str, str]:
        return importlib.import_module(self.home).BUILTIN

    def _third_party(self) -> dict[str, importlib.metadata.EntryPoint]:
        points = importlib.metadata.entry_points(group=self.group)
        return {point.name: point for point in points}


_HERE = "voicegraph.experiments"
OBSERVERS: Registry[Observer] = Registry(
    "an observer", Observer, _DOTTED, "voicegraph.observers", f"{_HERE}.observers"
)
FAMILIES: Registry[MetricFamily] = Registry(
    "a metric", MetricFamily, _PLAIN, "voicegraph.metrics", f"{_HERE}.metrics"
)
CONDITIONS: Registry[Condition] = Registry(
    "a condition", Condition, _PLAIN, "voicegraph.conditions", f"{_HERE}.conditions"
)
FUNCTIONS: dict[str, Metric] = {}
"""Metrics made of single functions by :func:`metric`, by name."""


def _identity(cls: type) -> tuple[str, str]:
    """Identifies a class, so that a file that is run again can replace its own class."""
    return cls.__module__, cls.__qualname__


def observer(
    name: str,
    *,
    version: int = 1,
    package: str | None = None,
    needs: Sequence[Need] = (),
    licence: str = "",
    heard: Origin | Sequence[Origin] = (),
    source: str = "",
) -> Callable[[type[Observer]], Any]:
    """Class decorator: registers an observer.

    Args:
        name: ``family.name``.
        version: counted up when its numbers change.
        package: a package that it imports, whose module has the same name; or give ``needs``.
        needs: packages that it imports.
        licence: of packages and weights.
        heard: what its networks learned from.
        source: citation.
    """

    def add(cls: type[Observer]) -> type[Observer]:
        cls.version, cls.licence, cls.source = version, licence, source
        cls.needs = (Need(package, package.replace("-", "_")),) if package else tuple(needs)
        cls.origins = (heard,) if isinstance(heard, Origin) else tuple(heard)
        OBSERVERS.add(name, cls)
        return cls

    return add


def condition(name: str, *, version: int = 1) -> Callable[[type[Condition]], Any]:
    """Class decorator: registers a condition under its key in experiment files."""

    def add(cls: type[Condition]) -> type[Condition]:
        cls.version = version
        CONDITIONS.add(name, cls)
        return cls

    return add


def family(name: str) -> Callable[[type[MetricFamily]], Any]:
    """Class decorator: registers a family of metrics under its key in experiment files."""

    def add(cls: type[MetricFamily]) -> type[MetricFamily]:
        FAMILIES.add(name, cls)
        return cls

    return add


def metric(
    name: str,
    *,
    of: str,
    against: Against | None = None,
    better: Literal["higher", "lower"] | None = None,
    title: str = "",
    unit: str = "",
    span: tuple[float, float] = (-np.inf, np.inf),
    ideal: float | None = None,
    digits: int = 3,
    citation: str = "",
) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Function decorator: registers a metric that one function computes.

    The function gets what the observer says about the output and, with ``against``, what it says
    about the clean clip (``source``), about what the system got (``given``), or about each
    utterance of the target (``target``: a list). It may raise :class:`NotMeasured`, or give NaN.

    Args:
        name: ``family.name``; ``metrics: [family]`` asks for all of a family.
        of: the observer, as text.
        against: what else the function gets.
        better: in which direction.
        title: in tables; by default made of the name.
        unit: such as ``Hz``.
        span: least and greatest value.
        ideal: value of a sound that is compared with itself.
        digits: after the decimal point in tables.
        citation: where it comes from.

    Raises:
        ValueError: if the name is malformed, or taken.
    """
    if not _DOTTED.fullmatch(name):
        raise ValueError(f"the name of a metric is family.name in lower case, found {name!r}")

    def add(function: Callable[..., float]) -> Callable[..., float]:
        known = FUNCTIONS.get(name)
        if known is not None and known.measure.__module__ != function.__module__:
            raise ValueError(f"{name} is already registered by {known.measure.__module__}")
        sides = {"source": "source", "given": "given", "target": "targets"}
        more: dict[str, Any] = {sides[against]: (of,)} if against else {}
        text = " ".join((function.__doc__ or "").partition("\n\n")[0].split())
        FUNCTIONS[name] = Metric(
            name, title or name.replace(".", " ").replace("_", " "),
            _measuring(function, of, against), made=(of,), better=better, unit=unit, span=span,
            ideal=ideal, digits=digits, text=text, citation=citation, **more,
        )  # fmt: skip
        return function

    return add


def _measuring(
    function: Callable[..., float], of: str, against: Against | None
) -> Callable[[Heard], float]:
    """What a :class:`Metric` calls; it belongs to the module of ``function``."""

    @functools.wraps(function)
    def measure(heard: Heard) -> float:
        return _call(function, of, against, heard)

    return measure


def _call(function: Callable[..., float], of: str, against: Against | None, heard: Heard) -> float:
    made = heard.made[of]
    if against is None:
        return float(function(made))
    if against == "target":
        if not heard.targets:
            raise NotMeasured("there is no speech of the target")
        return float(function(made, [utterance[of] for utterance in heard.targets]))
    return float(function(made, (heard.source if against == "source" else heard.given)[of]))


@contextmanager
def isolated() -> Iterator[None]:
    """Undoes registrations made inside the ``with`` block, except of shipped plug-ins."""
    tables: list[dict[str, Any]] = [
        OBSERVERS.registered, FAMILIES.registered, CONDITIONS.registered, FUNCTIONS,
    ]  # fmt: skip
    before = [dict(table) for table in tables]
    try:
        yield
    finally:
        for table, old in zip(tables, before, strict=True):
            shipped = {n: c for n, c in table.items() if _module(c).startswith(f"{_HERE}.")}
            table.clear()
            table.update({**shipped, **old})


def _module(entry: Any) -> str:
    return (entry.measure if isinstance(entry, Metric) else entry).__module__


def load_file(path: Path) -> list[str]:
    """Runs a Python file that registers observers, metrics or conditions.

    Returns:
        The names that it registered, sorted. A file that is run again replaces its own.

    Raises:
        PipelineError: if the file is missing or fails; nothing is registered then.
    """
    name = f"voicegraph_metrics_{path.stem}_{zlib.crc32(str(path.resolve()).encode()):08x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise PipelineError(Problem("no-such-file", f"{path} is not a Python file"))
    tables = {
        "observer": OBSERVERS.registered, "metric": FAMILIES.registered,
        "condition": CONDITIONS.registered, "function": FUNCTIONS,
    }  # fmt: skip
    before = {kind: dict(table) for kind, table in tables.items()}
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where annotations of its classes are looked up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        for kind, table in tables.items():
            table.clear()
            table.update(before[kind])
        text = f"{path} failed while it was read: {type(error).__name__}: {error}"
        raise PipelineError(Problem("metrics-file-failed", text)) from error
    return sorted(
        entry
        for kind, table in tables.items()
        for entry, cls in table.items()
        if cls is not before[kind].get(entry)
    )


def params_of(model: type[Params], value: Any) -> Params:
    """Params of an entry of a file.

    Args:
        model: of the plug-in.
        value: None, a mapping of params, or the value of its first param.

    Raises:
        ValueError: if it has no param.
        pydantic.ValidationError: if a param is wrong.
    """
    if value is None:
        return model()
    if isinstance(value, Mapping):
        return model.model_validate(dict(value))
    if not model.model_fields:
        raise ValueError(f"it takes no params, found {value!r:.60}")
    return model.model_validate({next(iter(model.model_fields)): value})
