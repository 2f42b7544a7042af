"""The code that decides numbers: source of classes and of what they import, versions of packages.

Read from the source, without running it: the modules of a class along its MRO, and the modules of
voicegraph that these import. Of each module counts its syntax tree without docstrings; comments and
layout are no part of a tree. Of other packages counts the version.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .files import package_folder

_OWN = "voicegraph"
_FOLLOWED = (
    "voicegraph.nodes.",
    "voicegraph.graph.files.models.",
    "voicegraph.graph.files.sound.",
    "voicegraph.graph.metrics.",
    "voicegraph.experiments.conditions.",
    "voicegraph.experiments.observers.",
    "voicegraph.training.voice.",
)
"""Where imports are followed. What else nodes import (types, base classes) is the engine's."""
_OF_FILE = re.compile(r"_[0-9a-f]{8}$")
"""What the name of a module that was loaded from a file ends in: a hash of its path."""
_RUNS_PIPELINES = ("voicegraph.graph.pipeline", "voicegraph.graph.runtime")
_NO_NUMBERS = frozenset(
    ("annotated-types", "pydantic", "pydantic-core", "pyyaml", "rich", "typer", "voicegraph")
)
"""Distributions that do not decide numbers."""

_NAMED = "distribution "
"""Begins what is named by its distribution, whose modules are not listed: compiled ones."""
_OF_PACKAGE = "package "
"""Begins names of packages, among those of modules."""

ENGINE = tuple(
    f"voicegraph.{name}"
    for name in (
        "graph.intervals",
        "graph.node",
        "graph.ports",
        "graph.precision",
        "graph.random",
        "graph.signals",
        "graph.runtime._device_placement",
        "graph.runtime._edges",
        "graph.runtime._nonfinite",
        "graph.runtime._reblocking",
        "graph.runtime._session_core",
        "graph.runtime._thread_count",
        "graph.runtime._warmup",
        "graph.runtime.engine",
        "graph.runtime.engine_setup",
        "graph.runtime.live_params",
        "graph.runtime.param_values",
        "graph.runtime.port_series",
        "graph.runtime.session",
        "graph.runtime.thread_layout",
        "graph.files.sound._conversion_chain",
        "graph.files.sound._latency_compensation",
        "graph.files.sound.input_conversion",
        "graph.files.sound.sample_conversion",
        "experiments.work.convert_work",
        "experiments.work.pipeline_data",
    )
)
"""What runs a plan. The compiler is not among it: what it decides is in the plan's hash."""

NOT_OF_THE_ENGINE = frozenset(
    (
        "_change_queue",
        "_file_sink",
        "_layout_trial",
        "_node_failure",
        "_recorder_protocol",
        "_recording_slot",
        "_session_files",
        "_state_transfer",
        "_trace",
        "background_writer",
        "fault_recovery",
        "hot_swap",
        "openmp_pool",
        "recording_start",
        "running_node",
        "snapshot",
        "timing",
        "write_permission",
    )
)
"""Modules of ``graph/runtime`` that decide no number of a conversion; a test holds the two lists
against the folder."""


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is read from one module.

    Attributes:
        digest: of its syntax tree.
        own: modules of voicegraph, or of its own package, that it imports or names.
        others: first names of other modules that it imports or names.
        seeded: whether it reads something called ``seed``.
    """

    digest: str
    own: frozenset[str]
    others: frozenset[str]
    seeded: bool


def digest(value: Any) -> str:
    """SHA-256 of plain data, hexadecimal."""
    return hashlib.sha256(repr(value).encode()).hexdigest()


def package_versions(code: Mapping[str, str]) -> dict[str, str]:
    """Versions by distribution, of what :func:`code_of` gave."""
    return {
        name.removeprefix(_OF_PACKAGE): value
        for name, value in code.items()
        if name.startswith(_OF_PACKAGE)
    }


def code_of(classes: Iterable[type], modules: Iterable[str] = ()) -> dict[str, str]:
    """What decides the numbers of classes and modules: digest by module, version by package.

    Args:
        classes: nodes, observers, conditions. One with ``version = 3`` in its body counts by that
            instead of by the source of its module.
        modules: further modules by name.
    """
    found: dict[str, str] = {}
    roots: list[str] = list(modules)
    for cls in classes:
        bases = (base.__module__ for base in cls.__mro__)
        roots += [module for module in bases if _is_ours(module, cls.__module__)]
        if isinstance(version := vars(cls).get("version"), int):
            found[cls.__module__] = f"version {version}"
    reached = _reached(roots)
    packages: set[str] = set()
    for name, facts in reached.items():
        found.setdefault(name, facts.digest)
        packages |= facts.others
    named = {_OF_FILE.sub("", name): value for name, value in found.items()}
    return dict(sorted({**named, **_versions(packages)}.items()))


def uses_seed(classes: Iterable[type]) -> bool:
    """Whether the numbers of some class may depend on a seed, by its source."""
    roots = [base.__module__ for cls in classes for base in cls.__mro__]
    ours = [name for name in roots if not name.startswith("voicegraph.graph.")]
    return any(facts.seeded for name, facts in _reached(ours).items() if name not in ENGINE)


@cache
def engine_code() -> dict[str, str]:
    """What runs a plan, and the nodes that it inserts to convert the rate of a clip."""
    return code_of((), ENGINE)


def _is_ours(module: str, of: str) -> bool:
    """Whether a base class is told by its source: a framework's own base is the engine's."""
    if module.startswith(_FOLLOWED):
        return True
    return module == of or (
        module.partition(".")[0] == of.partition(".")[0] and not of.startswith(f"{_OWN}.")
    )


def _reached(roots: Iterable[str]) -> dict[str, _Facts]:
    """Facts of modules, and of everything that they import where imports are followed."""
    waiting, found = list(roots), {}
    runs = False
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _source(name)
        if path is None:
            continue
        found[name] = facts = _facts(name, path, path.stat().st_mtime_ns)
        runs = runs or any(target.startswith(_RUNS_PIPELINES) for target in facts.own)
        top = name.partition(".")[0]
        waiting += [
            target
            for target in facts.own
            if target.startswith(_FOLLOWED) or (top != _OWN and target.partition(".")[0] != _OWN)
        ]
    if runs and not set(ENGINE) <= found.keys():
        found |= _reached([*found, *ENGINE])
    return found


def _source(name: str) -> Path | None:
    """The file of a module; None for packages' tables and what has no source."""
    if name.startswith(f"{_OWN}."):
        path = package_folder().joinpath(*name.split(".")[1:]).with_suffix(".py")
        return path if path.is_file() else None
    module = sys.modules.get(name)
    path = getattr(module, "__file__", None)
    if path is None and module is None:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        path = spec.origin if spec is not None else None
    return Path(path) if path is not None and path.endswith(".py") else None


@cache
def _facts(name: str, path: Path, changed_ns: int) -> _Facts:
    """Facts of a version of a file."""
    del changed_ns
    tree = ast.parse(path.read_bytes())
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    own: set[str] = set()
    others: set[str] = set()
    top = name.partition(".")[0]
    for target in _imports(tree, package):
        if target.partition(".")[0] in (_OWN, top):
            own.add(target)
        else:
            others.add(target.partition(".")[0])
    for text in _texts(tree):
        if (home := _node_modules().get(text)) is not None:
            own.add(home)
        elif text in _distributions():
            others.add(text)
        elif text in _installed():
            others.add(_NAMED + text)
    for other in list(others):  # a module beside a file of one's own, which is in no distribution
        if other not in _distributions() and other not in sys.stdlib_module_names:
            own.add(other)
    return _Facts(
        digest(ast.dump(_without_docstrings(tree))),
        frozenset(own),
        frozenset(others),
        _reads_seed(tree),
    )


def _reads_seed(tree: ast.AST) -> bool:
    names = (
        found.attr if isinstance(found, ast.Attribute) else found.id
        for found in ast.walk(tree)
        if isinstance(found, (ast.Attribute, ast.Name)) and isinstance(found.ctx, ast.Load)
    )
    return "seed" in names


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    """The modules that are imported anywhere in a tree, inside of functions, too."""
    for found in ast.walk(tree):
        if isinstance(found, ast.Import):
            yield from (alias.name for alias in found.names)
        elif isinstance(found, ast.ImportFrom):
            parts = package.split(".")
            above = ".".join(parts[: len(parts) - found.level + 1]) if found.level else ""
            base = ".".join(part for part in (above, found.module) if part)
            for alias in found.names:
                whole = f"{base}.{alias.name}"
                yield whole if _source(whole) is not None else base


def _texts(tree: ast.AST) -> Iterator[str]:
    """Texts that calls get, and defaults of arguments: names of nodes and of modules."""
    for found in ast.walk(tree):
        values: list[ast.expr | None] = []
        if isinstance(found, ast.Call):
            values = [*found.args, *(keyword.value for keyword in found.keywords)]
        elif isinstance(found, ast.arguments):
            values = [*found.defaults, *found.kw_defaults]
        elif isinstance(found, (ast.Assign, ast.AnnAssign)):
            values = [found.value]
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


class _Docstrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.copy_location(ast.Pass(), node) if text else node


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """The tree without texts that stand alone: a docstring more or less does not count, either."""
    made = _Docstrings().visit(tree)
    for found in ast.walk(made):
        body = getattr(found, "body", None)
        if isinstance(body, list):
            found.body = [entry for entry in body if not isinstance(entry, ast.Pass)]  # pyright: ignore[reportAttributeAccessIssue]
    return made


@cache
def _node_modules() -> dict[str, str]:
    """Name of a built-in node -> its module."""
    table: dict[str, str] = importlib.import_module("voicegraph.nodes").BUILTIN
    return {name: f"voicegraph.nodes.{home}" for name, home in table.items()}


@cache
def _distributions() -> dict[str, tuple[str, ...]]:
    """First name of a module -> the distributions that install it."""
    found = importlib.metadata.packages_distributions()
    return {name: tuple(dict.fromkeys(names)) for name, names in found.items()}


@cache
def _installed() -> frozenset[str]:
    """Names of all installed distributions."""
    return frozenset(found.name for found in importlib.metadata.distributions())


def _versions(modules: Iterable[str]) -> dict[str, str]:
    """Versions of the installed distributions of modules."""
    names: set[str] = set()
    for module in modules:
        if module.startswith(_NAMED):
            names.add(module.removeprefix(_NAMED))
        elif module not in sys.stdlib_module_names:
            names |= {*_distributions().get(module, ())}
    return {
        f"{_OF_PACKAGE}{name}": importlib.metadata.version(name)
        for name in sorted(names)
        if name.lower().replace("_", "-") not in _NO_NUMBERS
    }
