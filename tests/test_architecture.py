"""The rules of docs/design.md, read off the source: who imports whom, what is API, sizes."""

from __future__ import annotations

import ast
import runpy
import statistics
from pathlib import Path
from typing import Any

import pytest

from voicegraph import graph
from voicegraph.nodes import BUILTIN, FILE_KINDS

ROOT = Path(__file__).resolve().parent.parent
TOOL: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "architecture.py"))
CODE: list[Path] = TOOL["source_files"]()
NODE_FILES = [
    path for path in CODE if path.is_relative_to(ROOT / "nodes") and path.stem != "__init__"
]
FOLDERS = sorted({path.parent for path in CODE if path.parent != ROOT})
PARSED = {path: ast.parse(path.read_text(encoding="utf-8")) for path in CODE}

CORE = {"schemas", "graph"}
RUN = {*CORE, "graph/pipeline", "graph/runtime"}
NODE = {*CORE, "graph/files/models", "graph/files/onnx_files"}
ALLOWED: dict[str, set[str]] = {
    ".": {
        *RUN, "graph/comparison", "graph/conformance", "graph/files/recordings", "app/cli",
    },
    "schemas": set(),
    # ---- the framework
    "graph": {"schemas"},
    "graph/loading": {*CORE, "graph/files/voice_library"},
    "graph/compiler": {*CORE, "graph/loading", "graph/files/voice_library"},
    "graph/runtime": CORE,
    "graph/pipeline": {*CORE, "graph/loading", "graph/compiler", "graph/runtime"},
    "graph/conformance": {*RUN, "graph/export"},
    # ---- layered on it
    "graph/files": {"graph"},
    "graph/files/voice_library": {*CORE, "graph/files"},
    "graph/files/models": {*CORE, "graph/files"},
    "graph/files/onnx_files": {*CORE, "graph/files"},
    "graph/files/faiss_files": {*CORE, "graph/files"},
    "graph/files/sound": {*RUN, "graph/files"},
    "graph/files/recordings": {*RUN, "graph/files", "graph/loading", "graph/metrics"},
    "graph/metrics": {*RUN, "graph/files", "graph/files/sound"},
    "graph/comparison": {
        *RUN, "graph/files", "graph/files/sound", "graph/loading", "graph/metrics",
    },
    "graph/export": {
        *RUN, "graph/files", "graph/files/models", "graph/files/sound", "graph/metrics",
    },
    "graph/live/devices": CORE,
    "graph/live": {
        *RUN, "graph/live/devices", "graph/loading", "graph/files", "graph/files/recordings",
    },
    # ---- nodes
    "nodes": set(),
    "nodes/layers": NODE,
    "nodes/dsp": {*NODE, "nodes/layers"},
    "nodes/io": {*NODE, "nodes/dsp"},
    "nodes/pitch": {*NODE, "nodes/dsp"},
    "nodes/world": {*NODE, "nodes/pitch"},
    "nodes/f0": {*NODE, "nodes/layers", "nodes/pitch", "nodes/world"},
    "nodes/content": {*NODE, "nodes/layers", "nodes/pitch"},
    "nodes/retrieval": {*NODE, "graph/files/faiss_files", "nodes/content", "nodes/pitch"},
    "nodes/synth": {*NODE, "nodes/layers", "nodes/content", "nodes/retrieval"},
    "pipelines": set(),
    # ---- experiments
    "experiments": CORE,
    "experiments/file": {*CORE, "graph/loading", "experiments"},
    "experiments/clips": {
        *CORE, "graph/loading", "graph/files", "graph/files/sound", "experiments", "nodes/f0",
    },
    "experiments/conditions": {
        *CORE, "graph/files", "graph/files/sound", "graph/metrics", "experiments",
        "nodes/world",
    },
    "experiments/observers": {
        *CORE, "graph/files", "graph/files/models", "graph/metrics", "experiments", "nodes/content",
        "nodes/dsp", "nodes/f0", "nodes/layers", "nodes/world",
    },
    "experiments/conformance": {
        *CORE, "graph/files/sound", "experiments", "experiments/observers", "experiments/metrics",
        "experiments/conditions",
    },
    "experiments/metrics": {*CORE, "graph/metrics", "experiments", "experiments/observers"},
    "experiments/store": {*CORE, "graph/files", "experiments"},
    "experiments/work": {
        *RUN, "graph/loading", "graph/files", "graph/files/sound", "graph/metrics", "experiments",
        "experiments/conditions", "experiments/observers",
    },
    "experiments/grid": {
        *RUN, "graph/loading", "graph/files/models", "experiments", "experiments/file",
        "experiments/clips", "experiments/conditions", "experiments/observers",
        "experiments/metrics", "experiments/statistics", "experiments/store",
        "experiments/work",
    },
    "experiments/engines": {*CORE, "graph/files", "experiments", "experiments/store"},
    "experiments/statistics": {*CORE, "experiments"},
    "experiments/results": {
        *CORE, "graph/files", "experiments", "experiments/grid", "experiments/file",
        "experiments/store", "experiments/engines", "experiments/metrics",
        "experiments/statistics",
    },
    "experiments/report": {
        *CORE, "graph/files", "graph/metrics", "experiments", "experiments/results",
        "experiments/store", "experiments/statistics",
    },
    "experiments/listening": {
        *CORE, "graph/files", "experiments", "experiments/report", "experiments/results",
        "experiments/statistics",
    },
    "experiments/driver": {
        *CORE, "experiments", "experiments/engines", "experiments/file", "experiments/grid",
        "experiments/report", "experiments/results", "experiments/store",
    },
    "experiments/shipped": set(),
    # ---- training
    "training": set(),
    "training/common": {
        *NODE, "nodes/content", "graph/files", "experiments", "experiments/engines",
        "experiments/observers", "experiments/store",
    },
    "training/voice": {
        *NODE, "training/common", "graph/pipeline", "graph/files", "graph/files/sound",
        "graph/metrics", "nodes/content", "nodes/dsp", "nodes/f0", "nodes/synth", "nodes/world",
        "experiments", "experiments/engines", "experiments/observers", "experiments/store",
        "experiments/work",
    },
    "training/index": {
        *NODE, "graph/comparison", "graph/files", "graph/files/faiss_files", "graph/metrics",
        "graph/pipeline", "graph/runtime", "nodes/retrieval", "training/common",
    },
    "training/corpora": {*CORE, "training/common", "training/voice"},
    "training/channel": {*CORE, "nodes/content", "training/voice"},
    "training/speech_level": {
        *CORE, "graph/files", "nodes/dsp", "training/channel", "training/common",
        "training/evaluate",
    },
    "training/make": {
        *CORE, "nodes/f0", "experiments/observers", "training/common", "training/corpora",
        "training/voice",
    },
    "training/evaluate": {
        *CORE, "experiments/results", "graph/files", "graph/files/sound",
        "graph/metrics", "training/common",
        "training/corpora", "training/make", "training/voice",
    },
    "training/encoder": {
        *NODE, "experiments", "experiments/conditions", "experiments/observers", "nodes/content",
        "graph/files", "graph/metrics", "nodes/layers", "training/channel", "training/common",
        "training/corpora", "training/evaluate", "training/voice",
    },
    # ---- what people and programs use
    "app/reports": {
        *RUN, "graph/loading", "graph/compiler", "nodes", "experiments", "experiments/conditions",
        "experiments/file", "experiments/metrics", "experiments/observers",
    },
    "app/reports/drawing": {*CORE, "graph/pipeline", "app/reports"},
    "app/diagnostics": {
        *RUN, "graph/files/sound", "graph/live", "graph/live/devices", "graph/metrics",
    },
    "app/control": {*CORE, "graph/loading", "graph/live", "graph/files"},
    "app/sdk": {*RUN, "graph/files", "graph/loading", "graph/live"},
    "app/storage": {*CORE, "graph/files"},
    "app/background": CORE,
    "app/conversion_queue": {
        *RUN, "graph/files", "graph/files/sound", "app/background", "app/storage",
    },
    "app/voice_library": {
        *RUN, "graph/files", "graph/files/models", "graph/files/sound", "graph/files/voice_library",
        "graph/metrics", "nodes/synth", "training/index",
    },
    "app/bundle": {
        *CORE, "graph/files", "graph/files/faiss_files", "graph/files/onnx_files",
        "graph/files/sound",
    },
    "app/http": {*CORE, "app/control"},
    "app/session_server": {*CORE, "graph/pipeline", "app/control", "app/http", "app/reports"},
    "app/page_server/planning": {
        *RUN, "app/background", "app/reports", "app/reports/drawing", "graph/files/voice_library",
        "graph/live", "graph/loading",
    },
    "app/page_server/services": {
        *CORE, "app/background", "app/control", "app/conversion_queue", "app/reports",
        "app/storage", "graph/files", "graph/files/recordings", "graph/files/voice_library",
        "graph/live/devices", "graph/loading",
    },
    "app/page_server/routes": {
        *CORE, "app/control", "app/http", "app/page_server/services", "app/storage",
    },
    "app/page_server": {
        *CORE, "app/control", "app/http", "app/page_server/routes", "app/page_server/services",
        "graph/files",
    },
    "app/osc": {*CORE, "app/control"},
    "app/tui": {
        *CORE, "app/control", "graph/files/voice_library", "graph/live", "graph/loading",
    },
    "app": {*CORE, "app/control", "app/osc", "app/session_server", "graph/live"},
    "app/cli": {
        *RUN, "app", "app/bundle", "app/control", "app/diagnostics", "app/reports",
        "app/reports/drawing", "app/sdk", "app/page_server", "app/page_server/services", "app/tui",
        "app/voice_library",
        "experiments", "experiments/driver", "experiments/engines", "experiments/file",
        "experiments/grid", "experiments/listening", "experiments/report", "experiments/results",
        "experiments/store", "graph/comparison", "graph/export", "graph/files",
        "graph/files/models", "graph/files/recordings", "graph/files/sound",
        "graph/files/voice_library", "graph/live",
        "graph/live/devices", "graph/loading", "graph/metrics", "nodes", "training/common",
        "training/index", "training/voice",
    },
}  # fmt: skip
"""Folder -> folders that it may import. The table has no cycle."""

OPENED = (("files", "models"), ("files", "onnx_files"), ("files", "faiss_files"))
"""Below ``graph``: what nodes open their files with, beside its public module."""

TABLES = {"graph/registry.py", "graph/files/models/kinds.py"}
"""Who imports nodes by the names in the tables of ``nodes/__init__.py``."""

DRAWERS = {"helper", "helpers", "manager", "managers", "misc", "util", "utils"}
MEDIAN_LINES = 200
FUNCTION_LINES = 55


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# ---- arrows ---------------------------------------------------------------------------------


def test_folders_import_only_allowed_folders() -> None:
    arrows: dict[str, set[str]] = TOOL["folder_arrows"]()
    wrong = [
        f"{folder} imports {target}"
        for folder, targets in sorted(arrows.items())
        for target in sorted(targets - ALLOWED[folder])
    ]
    assert wrong == []


def test_every_folder_has_its_allowed_arrows() -> None:
    assert {TOOL["folder_of"](path) for path in CODE} == set(ALLOWED)


def test_no_folder_cycle() -> None:
    assert TOOL["cycles"](TOOL["folder_arrows"]()) == []
    assert TOOL["cycles"](ALLOWED) == []


def test_no_file_cycle() -> None:
    arrows = {
        _name(path): {_name(target) for target in targets if target.stem != "__init__"}
        for path, targets in TOOL["file_arrows"]().items()
    }
    assert TOOL["cycles"](arrows) == []


def test_a_cycle_is_seen() -> None:
    assert TOOL["cycles"]({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_reduction_keeps_what_is_reachable() -> None:
    arrows = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert TOOL["reduced"](arrows) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_picture_in_the_docs_is_current() -> None:
    page = TOOL["PAGE"].read_text(encoding="utf-8")
    assert TOOL["updated_page"](page) == page, "python tools/architecture.py"


def test_nodes_import_the_public_module_alone() -> None:
    wrong = [
        f"{_name(path)}:{line} imports voicegraph.{'.'.join(target)}"
        for path in NODE_FILES
        for line, target in TOOL["imports"](path)
        if target[0] == "graph" and target[1:3] not in OPENED
        if len(target) != 2 or target[1] not in graph.__all__
    ]
    assert wrong == []


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
    assert named == TABLES


# ---- API and internals ----------------------------------------------------------------------


def _declared(folder: Path) -> list[str]:
    """``__all__`` of a folder, as written."""
    for found in PARSED[folder / "__init__.py"].body:
        if isinstance(found, ast.Assign) and ast.unparse(found.targets[0]) == "__all__":
            return [ast.literal_eval(e) for e in found.value.elts if isinstance(e, ast.Constant)]  # pyright: ignore[reportAttributeAccessIssue]
    return []


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_folder_says_who_lives_there(folder: Path) -> None:
    text = ast.get_docstring(PARSED[folder / "__init__.py"])
    assert text
    assert len(text.splitlines()[0].split()) > 3


def _defined(folder: Path) -> set[str]:
    """Every name that a folder's ``__init__`` binds, and the modules and folders in it."""
    names = {path.stem for path in folder.glob("*.py")}
    names |= {path.parent.name for path in folder.glob("*/__init__.py")}
    for found in ast.walk(PARSED[folder / "__init__.py"]):
        if isinstance(found, (ast.ImportFrom, ast.Import)):
            names |= {alias.asname or alias.name for alias in found.names}
        elif isinstance(found, (ast.FunctionDef, ast.ClassDef)):
            names.add(found.name)
        elif isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store):
            names.add(found.id)
    return names


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_all_names_the_api(folder: Path) -> None:
    """``__all__`` holds what is there, and every module without an underscore."""
    declared = set(_declared(folder))
    assert declared <= _defined(folder)
    reexports = any(
        isinstance(found, ast.ImportFrom) for found in PARSED[folder / "__init__.py"].body
    )
    if not reexports:
        public = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
        assert public <= declared


def test_internals_stay_in_their_folder() -> None:
    wrong = [
        f"{_name(path)} imports {_name(target)}"
        for path, targets in TOOL["file_arrows"]().items()
        for target in targets
        if target.stem.startswith("_") and not target.stem.startswith("__")
        if target.parent != path.parent
    ]
    assert wrong == []


# ---- nodes ----------------------------------------------------------------------------------


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


def test_builtin_table_matches_registered_nodes() -> None:
    found = {
        name: ".".join(path.relative_to(ROOT / "nodes").with_suffix("").parts)
        for path in NODE_FILES
        for name in _registered(path)
    }
    assert found == BUILTIN
    assert list(BUILTIN) == sorted(BUILTIN)


def test_one_node_a_file() -> None:
    """A file holds one node, or what nodes share: then one of them imports it."""
    arrows = TOOL["file_arrows"]()
    used = {target for path in NODE_FILES for target in arrows.get(path, ())}
    used |= {ROOT / "nodes" / f"{home.replace('.', '/')}.py" for home in FILE_KINDS.values()}
    wrong = []
    for path in NODE_FILES:
        names = _registered(path)
        if names and names != [f"{path.parent.name}.{path.stem}"]:
            wrong.append(f"{_name(path)} registers {', '.join(names)}")
        if not names and path not in used:
            wrong.append(f"{_name(path)} holds no node, and no node uses it")
    assert wrong == []


@pytest.mark.parametrize("use", sorted(BUILTIN))
def test_every_node_has_its_test(use: str) -> None:
    family, _, name = use.partition(".")
    test = ROOT / "tests" / "nodes" / family / f"test_{name}.py"
    assert test.is_file()
    assert f'conformance.suite("{use}"' in test.read_text(encoding="utf-8")


# ---- size and names -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "place"),
    {
        "underrun": "graph/live",
        "overrun": "graph/live",
        "dropout": "graph/live",
        "ring buffer": "graph/live",
        "hot swap": "graph/runtime",
        "drift compensation": "graph/live",
        "allowlist": "graph/files/models",
        "voice activity detection": "training/voice",
        "vad": "training/voice",
        "augmentation": "training/voice",
        "adversarial": "training/voice",
        "latency compensation": "graph/files/sound",
    }.items(),
)
def test_standard_terms_are_found(term: str, place: str) -> None:
    """Who searches for the field's word finds a docstring or a comment in its folder."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / place).glob("*.py")]
    assert any(term in " ".join(text.lower().split()) for text in texts)


def test_files_are_short() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in CODE]
    assert statistics.median(lengths) < MEDIAN_LINES


def test_functions_are_short() -> None:
    long = [
        f"{_name(path)}:{found.lineno} {found.name} has {lines} lines"
        for path in CODE
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
