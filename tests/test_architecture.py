"""The house rules of docs/design.md, read off the source: who may know whom, one node a file."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicegraph.nodes import BUILTIN

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "graph", "nodes", "pipelines", "voices")
CONTRACT = {"errors", "intervals", "node", "ports", "random", "registry", "signals", "weights"}
"""What of ``graph`` a node may know: what it is made of, never what runs it."""

Target = tuple[str, ...]
"""What is imported, as parts below ``voicegraph``."""

TABLES = {("nodes", "BUILTIN"), ("nodes", "FILE_KINDS")}
"""The names of the built-in nodes and file kinds: all that ``graph`` may know of them."""

COMMAND_LINE = "graph/cli"
"""The outermost part of ``graph``: it alone may begin what stands on nodes."""

DRAWERS = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
MEDIAN_LINES = 200
FUNCTION_LINES = 60

CODE = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
NODE_FILES = [
    path for path in CODE if path.is_relative_to(ROOT / "nodes") and path.stem != "__init__"
]
PARSED = {path: ast.parse(path.read_text(encoding="utf-8")) for path in CODE}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _imports(path: Path) -> Iterator[tuple[int, Target]]:
    """Line and target of each import of our own, as parts below ``voicegraph``."""
    package = path.relative_to(ROOT).parent.parts
    for found in ast.walk(PARSED[path]):
        if isinstance(found, ast.ImportFrom):
            module = tuple(found.module.split(".")) if found.module else ()
            if found.level:
                above = package[: len(package) - found.level + 1]
                module = ("voicegraph", *above, *module)
            targets = [(*module, alias.name) for alias in found.names]
        elif isinstance(found, ast.Import):
            targets = [tuple(alias.name.split(".")) for alias in found.names]
        else:
            continue
        for target in targets:
            if target[:1] == ("voicegraph",):
                yield found.lineno, target[1:]


def _allowed(room: str, target: Target) -> bool:
    if room == "schemas":
        return target[0] == "schemas"
    if room == COMMAND_LINE and target[0] == "voices":
        return True
    if room in ("graph", COMMAND_LINE):
        return target[0] in ("schemas", "graph") or target in TABLES
    if room == "nodes":
        in_contract = target[0] == "graph" and "".join(target[1:2]) in CONTRACT
        return in_contract or target[0] in ("schemas", "nodes")
    return room == "voices" and target[0] in ("schemas", "graph", "nodes", "voices")


def _room(path: Path) -> str:
    place = path.relative_to(ROOT)
    return COMMAND_LINE if place.is_relative_to(COMMAND_LINE) else place.parts[0]


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_rooms_know_only_what_they_may(path: Path) -> None:
    room = _room(path)
    wrong = [
        f"{_name(path)}:{line} imports voicegraph.{'.'.join(target)}"
        for line, target in _imports(path)
        if not _allowed(room, target)
    ]
    assert wrong == []


def test_rooms_are_told_apart() -> None:
    """The rule itself: what would be wrong is seen as wrong."""
    assert not _allowed("schemas", ("graph", "errors"))
    assert not _allowed("graph", ("nodes", "dsp", "gain"))
    assert not _allowed("nodes", ("graph", "session"))
    assert not _allowed("graph", ("nodes", "dsp"))
    assert _allowed("nodes", ("graph", "node"))
    assert _allowed("graph", ("schemas", "pipeline"))
    assert all(_allowed("graph", table) for table in TABLES)
    assert not _allowed("graph", ("voices", "train"))
    assert not _allowed("nodes", ("voices", "train"))
    assert _allowed(COMMAND_LINE, ("voices", "train"))
    assert not _allowed(COMMAND_LINE, ("nodes", "dsp"))


def test_only_the_registry_imports_nodes_by_name() -> None:
    named = {
        _name(path)
        for path in CODE
        if path.is_relative_to(ROOT / "graph")
        for found in ast.walk(PARSED[path])
        if isinstance(found, ast.Constant)
        and isinstance(found.value, str)
        and found.value.startswith("voicegraph.nodes.")
    }
    assert named == {"graph/registry.py", "graph/files/models/kinds.py"}


def _registered(path: Path) -> list[str]:
    """What ``@register("...")`` stands in a file."""
    return [
        str(mark.args[0].value)
        for found in ast.walk(PARSED[path])
        if isinstance(found, ast.ClassDef)
        for mark in found.decorator_list
        if isinstance(mark, ast.Call)
        and isinstance(mark.func, ast.Name)
        and mark.func.id == "register"
        and isinstance(mark.args[0], ast.Constant)
    ]


def test_table_of_builtin_nodes_is_what_the_files_register() -> None:
    found = {
        name: ".".join(path.relative_to(ROOT / "nodes").with_suffix("").parts)
        for path in NODE_FILES
        for name in _registered(path)
    }
    assert found == BUILTIN
    assert list(BUILTIN) == sorted(BUILTIN)


@pytest.mark.parametrize("path", NODE_FILES, ids=_name)
def test_one_node_a_file(path: Path) -> None:
    """A file holds one node, or what the nodes of its family share: then one of them imports it."""
    names = _registered(path)
    family = path.parent.name
    if names:
        assert names == [f"{family}.{path.stem}"]
        return
    target = ("nodes", family, path.stem)
    users = [
        _name(other)
        for other in NODE_FILES
        if other != path and any(t[:3] == target for _, t in _imports(other))
    ]
    assert users, f"{_name(path)} holds no node, and no node uses it"


@pytest.mark.parametrize("use", sorted(BUILTIN))
def test_every_node_has_its_test(use: str) -> None:
    family, _, name = use.partition(".")
    test = ROOT / "tests" / "nodes" / family / f"test_{name}.py"
    assert test.is_file()
    assert f'conformance.suite("{use}"' in test.read_text(encoding="utf-8")


def test_files_are_short() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in CODE]
    assert statistics.median(lengths) < MEDIAN_LINES


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_functions_are_short(path: Path) -> None:
    long = [
        f"{_name(path)}:{found.lineno} {found.name} has {lines} lines"
        for found in ast.walk(PARSED[path])
        if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (lines := (found.end_lineno or found.lineno) - found.lineno + 1) > FUNCTION_LINES
    ]
    assert long == []


def test_no_drawers() -> None:
    """A file is named after what it does; a drawer is named after nothing."""
    places = [*CODE, *(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]
    words = {
        _name(path): set(_name(path).removesuffix(".py").replace("/", "_").split("_"))
        for path in places
    }
    assert [name for name, found in words.items() if found & DRAWERS] == []
