"""The registry: names of node classes, ``family.name``.

Built-in nodes are listed in a table of module names, so that using one does not import them all.
Third parties register through the entry-point group ``voicegraph.nodes`` or a Python file named on
the command line. A pipeline file cannot name code, because it may come from a stranger.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import importlib.util
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from .errors import PipelineError, Problem
from .node import Node

N = TypeVar("N", bound=type[Node])
_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_ENTRY_POINTS = "voicegraph.nodes"
_registered: dict[str, type[Node]] = {}


def register(name: str) -> Callable[[N], N]:
    """Class decorator: registers a node for ``use: name``.

    Raises:
        ValueError: if the name is not ``family.name`` or is registered for another class.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a node name looks like family.name in lower case, found {name!r}")

    def add(cls: N) -> N:
        known = _registered.get(name)
        if known is not None and _identity(known) != _identity(cls):
            raise ValueError(f"{name} is already registered by {known.__module__}.{known.__name__}")
        cls.use = name
        _registered[name] = cls
        return cls

    return add


def _identity(cls: type[Node]) -> tuple[str, str]:
    """Identifies a class, so that a file run again in a notebook can replace its own class."""
    return cls.__module__, cls.__qualname__


def _builtin() -> dict[str, str]:
    return importlib.import_module("voicegraph.nodes").BUILTIN


def _third_party() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=_ENTRY_POINTS)}


def names() -> list[str]:
    """Every known node name, sorted."""
    return sorted({*_registered, *_builtin(), *_third_party()})


def find(name: str) -> type[Node]:
    """The class behind a name.

    Raises:
        KeyError: if the name is unknown.
        ImportError: if its module fails, or does not define the node.
    """
    if name in _registered:
        return _registered[name]
    if (home := _builtin().get(name)) is not None:
        _load(name, lambda: importlib.import_module(f"voicegraph.nodes.{home}"))
        if name not in _registered:
            raise ImportError(f"voicegraph.nodes.{home} registers no {name}")
        return _registered[name]
    if (point := _third_party().get(name)) is None:
        raise KeyError(name)
    cls = _load(name, point.load)
    if not (isinstance(cls, type) and issubclass(cls, Node)):
        raise ImportError(f"{point.value} is not a node class")
    return register(name)(cls)


def _load(name: str, load: Callable[[], Any]) -> Any:
    """Turns a KeyError inside a module into an ImportError: it does not mean an unknown node."""
    try:
        return load()
    except KeyError as error:
        raise ImportError(f"the module of {name} failed: KeyError: {error}") from error


def nearest(name: str) -> list[str]:
    """Known names similar to ``name``.

    First those with the same last word, or the one that other programs call by that word, then by
    similarity.
    """
    known = names()
    word = re.sub(r"[^a-z0-9]+", "_", name.rsplit(".", 1)[-1].lower()).strip("_")
    same_word = [n for n in known if n.rsplit(".", 1)[-1] == word]
    synonyms: dict[str, str] = importlib.import_module("voicegraph.nodes").SYNONYMS
    same_word += [synonyms[word]] if word in synonyms else []
    return list(dict.fromkeys([*same_word, *difflib.get_close_matches(name, known, 3, 0.6)]))


@contextmanager
def isolated(nodes: Mapping[str, type[Node]] | None = None) -> Iterator[None]:
    """Registers ``nodes`` by name, and undoes all registrations when the ``with`` block ends.

    For tests and measurements that need node classes of their own. Built-in nodes that are imported
    inside the block stay registered, because a module registers its node only once.
    """
    before = dict(_registered)
    try:
        for name, cls in (nodes or {}).items():
            register(name)(cls)
        yield
    finally:
        homes = {name: f"voicegraph.nodes.{home}" for name, home in _builtin().items()}
        imported = {n: cls for n, cls in _registered.items() if cls.__module__ == homes.get(n)}
        _registered.clear()
        _registered.update({**imported, **before})


def load_file(path: Path) -> list[str]:
    """Runs a Python file that registers nodes, and returns the names that it registered.

    A file that is run again replaces its own nodes.

    Raises:
        PipelineError: if the file is missing or fails; nothing is registered then.
    """
    before = dict(_registered)
    name = f"voicegraph_nodes_{path.stem}_{zlib.crc32(str(path.resolve()).encode()):08x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise PipelineError(Problem("no-such-file", f"{path} is not a Python file"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where annotations of its classes are looked up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        _registered.clear()
        _registered.update(before)
        text = f"{path} failed while it was read: {type(error).__name__}: {error}"
        raise PipelineError(Problem("nodes-file-failed", text)) from error
    return sorted(n for n, cls in _registered.items() if cls is not before.get(n))
